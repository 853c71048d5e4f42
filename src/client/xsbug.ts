/** What it means when a board speaks to the debugger: how a sentence begins that says what to do. */
export const IS_DEBUG_BUILD = "This is a debug build, which talks to xsbug, the SDK's debugger";

/** What a debug build sends begins with one of these, and ends with the other: xs/sources/xsDebug.c in the SDK. */
const PARTS: readonly (readonly [begin: string, end: string])[] = [
  ["<?xs", "?>"],
  ["<xsbug>", "</xsbug>"],
];

/** Takes what is meant for the debugger out of what a board says. */
export class XsbugFilter {
  private rest = "";
  /** What ends the part that is passed over. */
  private end: string | undefined;
  private hasFound = false;

  /** @param found called once, when something is meant for the debugger */
  constructor(private readonly found: () => void) {}

  /** Returns the text that is for people; the beginning of a mark is kept until the next text tells what it is. */
  take(text: string): string {
    let shown = "";
    let rest = this.rest + text;
    for (;;) {
      const { end } = this;
      if (end === undefined) {
        const [at, part] = firstOf(rest);
        if (part === undefined) break;
        shown += rest.slice(0, at);
        rest = rest.slice(at + part[0].length);
        this.end = part[1];
        if (!this.hasFound) this.found();
        this.hasFound = true;
      } else {
        const at = rest.indexOf(end);
        if (at < 0) break;
        rest = rest.slice(at + end.length).replace(/^\r?\n/, "");
        this.end = undefined;
      }
    }
    const kept = unfinished(rest, this.end === undefined ? PARTS.map(([begin]) => begin) : [this.end]);
    this.rest = rest.slice(rest.length - kept);
    return this.end === undefined ? shown + rest.slice(0, rest.length - kept) : shown;
  }

  /** What was kept, when nothing follows. */
  finish(): string {
    const { rest } = this;
    this.rest = "";
    return this.end === undefined ? rest : "";
  }
}

function firstOf(text: string): [at: number, part: (typeof PARTS)[number] | undefined] {
  let [first, found]: [number, (typeof PARTS)[number] | undefined] = [Infinity, undefined];
  for (const part of PARTS) {
    const at = text.indexOf(part[0]);
    if (at >= 0 && at < first) [first, found] = [at, part];
  }
  return [first, found];
}

/** How many characters at the end of a text may be the beginning of a mark. */
function unfinished(text: string, marks: readonly string[]): number {
  const most = Math.max(...marks.map((mark) => mark.length)) - 1;
  for (let length = Math.min(most, text.length); length > 0; length--)
    if (marks.some((mark) => mark.length > length && text.endsWith(mark.slice(0, length)))) return length;
  return 0;
}
