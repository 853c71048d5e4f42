/** Splits a stream of text into lines. */
export class LineReader {
  private rest = "";

  /** @param receive called with each line, without its line ending */
  constructor(private readonly receive: (line: string) => void) {}

  take(text: string): void {
    const lines = (this.rest + text).split("\n");
    this.rest = lines.pop() ?? "";
    for (const line of lines) this.receive(line);
  }
}
