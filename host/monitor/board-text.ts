import { escapeText } from "../../src/client/escape";

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
