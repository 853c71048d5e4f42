/** Beginning of a message about a board that talks to the debugger; the rest says what to do. */
export const IS_DEBUG_BUILD = "This is a debug build, which talks to xsbug, the SDK's debugger";

/** The delimiters of the debugger's messages: see xs/sources/xsDebug.c in the SDK. */
const PARTS: readonly (readonly [begin: string, end: string])[] = [
  ["<?xs", "?>"],
  ["<xsbug>", "</xsbug>"],
];

/** Removes the messages for the debugger from the output of a board. */
export class XsbugFilter {
  private rest = "";
  /** The end delimiter of the message that is being removed; undefined outside of one. */
  private end: string | undefined;
  /** Whether a message has just ended: a line end that follows it is removed as well. */
  private isBehind = false;
  private hasFound = false;

  /** @param found called once, at the first message for the debugger */
  constructor(private readonly found: () => void) {}

  /** Returns the text outside of messages. A possible start of a delimiter is held back until more text arrives. */
  take(text: string): string {
    let shown = "";
    let rest = this.rest + text;
    for (;;) {
      const { end } = this;
      if (this.isBehind) {
        if (rest === "" || rest === "\r") break;
        rest = rest.replace(/^\r?\n/, "");
        this.isBehind = false;
      } else if (end === undefined) {
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
        rest = rest.slice(at + end.length);
        this.end = undefined;
        this.isBehind = true;
      }
    }
    if (this.isBehind) {
      this.rest = rest;
      return shown;
    }
    const kept = unfinished(rest, this.end === undefined ? PARTS.map(([begin]) => begin) : [this.end]);
    this.rest = rest.slice(rest.length - kept);
    return this.end === undefined ? shown + rest.slice(0, rest.length - kept) : shown;
  }

  /** Call at the end of the input: returns the text held back. */
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

/** Number of characters at the end of a text that may be the beginning of a delimiter. */
function unfinished(text: string, marks: readonly string[]): number {
  const most = Math.max(...marks.map((mark) => mark.length)) - 1;
  for (let length = Math.min(most, text.length); length > 0; length--)
    if (marks.some((mark) => mark.length > length && text.endsWith(mark.slice(0, length)))) return length;
  return 0;
}
