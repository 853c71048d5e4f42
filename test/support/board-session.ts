import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { outcomeOf, start } from "./cli";

/** The memory that XS reports when it is switched off; bytes. */
export interface BoardHeap {
  readonly slots: number;
  readonly chunks: number;
  readonly stack: number;
  readonly peak: number;
  readonly usedSlots: number;
  readonly usedChunks: number;
}

/** After which a board that does not say what is waited for is given up, with what it has said. */
const TIMEOUT_MS = 50_000;

const running = new Set<ChildProcessWithoutNullStreams>();
afterAll(() => {
  for (const program of running) program.kill("SIGKILL");
});

/** A simulated board as a process, and somebody who types. */
export class BoardSession {
  private said = "";
  private readonly program: ChildProcessWithoutNullStreams;
  private readonly ended: Promise<{ stderr: string; code: number | null }>;
  private heard: () => void = () => undefined;

  /** @param options of `esp32gpt simulate` */
  constructor(...options: string[]) {
    this.program = start("simulate", ...options);
    running.add(this.program);
    this.ended = outcomeOf(this.program);
    this.program.stdout.on("data", (text: string) => {
      this.said += text.replaceAll("\r", "");
      this.heard();
    });
  }

  type(line: string): void {
    this.program.stdin.write(`${line}\n`);
  }

  /** Waits until it has said this, and returns all that it has said since the last wait. */
  async until(text: RegExp): Promise<string> {
    const giveUpAt = performance.now() + TIMEOUT_MS;
    while (!text.test(this.said)) {
      const late = setTimeout(() => this.heard(), TIMEOUT_MS);
      await new Promise<void>((resolve) => (this.heard = resolve));
      clearTimeout(late);
      if (performance.now() > giveUpAt)
        throw new Error(`It has not said ${String(text)}, but: ${this.said.slice(-2000)}`);
    }
    const { said } = this;
    this.said = "";
    return said;
  }

  async answer(line: string, text = /\n/): Promise<string> {
    this.said = "";
    this.type(line);
    return this.until(text);
  }

  /** Switches it off; with --stats on XS it tells of its memory. */
  async end(): Promise<BoardHeap | undefined> {
    this.program.stdin.end();
    const { stderr, code } = await this.ended;
    running.delete(this.program);
    if (code !== 0) throw new Error(`It ended with ${String(code)}: ${stderr}`);
    const usage = /^\{"type":"usage".*$/m.exec(stderr)?.[0];
    return usage === undefined ? undefined : (JSON.parse(usage) as { heap: BoardHeap }).heap;
  }
}
