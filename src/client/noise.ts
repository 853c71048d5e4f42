/** How a sentence begins that says what to do about it. */
export const IS_HARDLY_TEXT = "What comes is hardly text";

/** Characters that are looked at together. */
const WINDOW = 200;

/** Notices bytes that are no text, as of a port with another speed. */
export class Noise {
  private seen = 0;
  private broken = 0;
  private hasFound = false;

  /** @param found called once */
  constructor(private readonly found: () => void) {}

  /** @param text as it was decoded, not yet escaped */
  take(text: string): void {
    if (this.hasFound) return;
    for (const character of text) {
      if (isBroken(character)) this.broken++;
      if (++this.seen < WINDOW) continue;
      if (this.broken > WINDOW / 3) {
        this.hasFound = true;
        this.found();
        return;
      }
      this.seen = this.broken = 0;
    }
  }
}

function isBroken(character: string): boolean {
  return character === "\ufffd" || (character < " " && !"\r\n\t\x1b".includes(character));
}
