import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "../helpers";

/** Whether Python can give a program a terminal. */
export const hasPty = process.platform === "linux" && spawnSync("python3", ["-c", "import pty"]).status === 0;

/** A program in a terminal of a size. */
export class TerminalProgram {
  private readonly bridge: ChildProcessWithoutNullStreams;
  /** Everything that it has shown. */
  shown = "";
  readonly ended: Promise<number | null>;
  private readonly listeners = new Set<() => void>();

  constructor(command: readonly string[], columns = 100, rows = 30, environment: NodeJS.ProcessEnv = {}) {
    const script = join(ROOT, "test", "support", "in-terminal.py");
    this.bridge = spawn("python3", [script, String(columns), String(rows), ...command], {
      cwd: ROOT,
      env: { ...process.env, TERM: "xterm-256color", ...environment },
    });
    this.bridge.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.shown += text;
      for (const listener of this.listeners) listener();
    });
    this.bridge.stderr.pipe(process.stderr);
    this.ended = new Promise((resolve) => this.bridge.on("close", (code) => resolve(code)));
  }

  /** Of the process that holds the terminal; the program is its child. */
  get pid(): number {
    return this.bridge.pid ?? 0;
  }

  type(text: string): void {
    this.bridge.stdin.write(text);
  }

  /** Resolves when it has shown something, behind what had been shown when it was asked, if it is to be new. */
  async until(text: RegExp, from = 0): Promise<string> {
    const isThere = (): boolean => text.test(this.shown.slice(from));
    while (!isThere()) {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`it has not shown ${text} but ${this.shown.slice(-3000)}`)),
          20_000,
        );
        const check = (): void => {
          if (!isThere()) return;
          clearTimeout(timer);
          this.listeners.delete(check);
          resolve();
        };
        this.listeners.add(check);
        check();
      });
    }
    return this.shown;
  }

  /** Nobody looks at the terminal any more, or again. */
  set isRead(isRead: boolean) {
    if (isRead) this.bridge.stdout.resume();
    else this.bridge.stdout.pause();
  }

  /** Ends it, if it is still there. */
  kill(): void {
    this.bridge.kill("SIGKILL");
  }
}

/** The monitor in a terminal. */
export function monitorInTerminal(
  options: readonly string[],
  columns?: number,
  rows?: number,
  environment?: NodeJS.ProcessEnv,
): TerminalProgram {
  const command = [process.execPath, join("bin", "esp32gpt.js"), "monitor", ...options];
  return new TerminalProgram(command, columns, rows, environment);
}
