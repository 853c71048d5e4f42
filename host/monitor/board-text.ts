import { escapeText } from "../../src/client/escape";

/**
 * Decodes a board's output for display in a terminal. UTF-8 sequences may be split between reads. Control characters
 * other than line endings and tabs, invisible characters and invalid bytes are shown as escape codes.
 */
export class BoardText {
  private readonly decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  /** @param look receives the decoded text before it is escaped */
  constructor(private readonly look: (text: string) => void = () => undefined) {}

  decode(bytes: Uint8Array): string {
    const text = this.decoder.decode(bytes, { stream: true });
    this.look(text);
    return escapeText(text);
  }

  /** The rest of an incomplete UTF-8 sequence. */
  end(): string {
    return escapeText(this.decoder.decode());
  }
}
