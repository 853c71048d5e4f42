/** What scan-main.ts, which runs on XS, tells xs-scan.test.ts. */
export interface Answer {
  readonly refusals: readonly Refused[];
  /** For some lists, whether the C finds there what the TypeScript does. */
  readonly isSame: readonly boolean[];
  /** Where a skip over more documents than there are ends, and the size of that list. */
  readonly ends: readonly number[];
  readonly size: number;
  /** The code points and texts of which the C makes other bytes than the TypeScript, and what it makes of no text. */
  readonly otherTexts: readonly string[];
  readonly noTexts: readonly Refused[];
}

export interface Refused {
  readonly wrong: string;
  /** The name of what was thrown; null when nothing was. */
  readonly error: string | null;
  /** Whether a buffer, or the memory beside it, was written to. */
  readonly isTouched: boolean;
}
