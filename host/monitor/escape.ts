import { isVisible } from "../../src/errors";

/** What TextDecoder puts in the place of bytes that are no UTF-8. */
const REPLACEMENT = "\ufffd";

/**
 * What a board writes, as a terminal may show it: UTF-8, also when a character comes in pieces; controls
 * other than the ends of lines and tabs, what is invisible, and bytes that are no UTF-8, as their codes.
 */
export class BoardText {
  private readonly decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  /** @param look gets the text before it is escaped */
  constructor(private readonly look: (text: string) => void = () => undefined) {}

  decode(bytes: Uint8Array): string {
    const text = this.decoder.decode(bytes, { stream: true });
    this.look(text);
    return escapeText(text);
  }

  /** What is left of a character whose end never came. */
  end(): string {
    return escapeText(this.decoder.decode());
  }
}

/** Text as a terminal may show it. */
export function escapeText(text: string): string {
  return text.replace(/[^\n\r\t\x20-\x7e]/gu, (character) => {
    const codePoint = character.codePointAt(0) ?? 0;
    const isShown = character !== REPLACEMENT && isVisible(codePoint);
    return isShown ? character : `\\u{${codePoint.toString(16)}}`;
  });
}

/** A line as a terminal may show it: with nothing in it that ends it, or goes back to its beginning. */
export function escapeLine(line: string): string {
  return escapeText(line).replaceAll("\r", "\\r").replaceAll("\n", "\\n");
}
