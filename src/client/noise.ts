/** Beginning of a message; the rest says what to do. */
export const IS_HARDLY_TEXT = "The input is hardly text";

/** Characters per measurement. */
const WINDOW = 200;

/** Detects input that is not text, such as that of a port at another baud rate. */
export class Noise {
  private seen = 0;
  private broken = 0;
  private hasFound = false;

  /** @param found called once, when more than a third of a window is invalid */
  constructor(private readonly found: () => void) {}

  /** @param text decoded, not yet escaped */
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
