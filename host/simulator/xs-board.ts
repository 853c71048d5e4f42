import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import type { Board, BoardOptions } from "./board";
import { failureOf, roomOf, startXs, type XsOptions } from "../xs/engine";
import { type BoardRequest, EXIT_REBOOT } from "../xs/protocol";

/** The device program on the real engine, with the memory of the device, in a process of its own. */
export class XsBoard implements Board {
  private child: ChildProcessWithoutNullStreams | undefined;
  private isOff = false;

  constructor(
    private readonly options: BoardOptions,
    private readonly xs: XsOptions,
  ) {}

  async live(): Promise<void> {
    let exitCode: number | null = EXIT_REBOOT;
    let complaint = "";
    while (exitCode === EXIT_REBOOT && !this.isOff) {
      complaint = "";
      const child = this.powerOn();
      child.stderr.setEncoding("utf8").on("data", (text: string) => (complaint += text));
      [exitCode] = (await once(child, "close")) as [number | null];
    }
    if (exitCode === 0) this.options.usage(complaint);
    else if (exitCode !== EXIT_REBOOT) throw await failureOf("board", exitCode, complaint);
  }

  private powerOn(): ChildProcessWithoutNullStreams {
    const { settings, namesFile, namesName, folder, output } = this.options;
    const request: BoardRequest = { settings, namesFile: namesName, folder, room: roomOf(this.xs) };
    const child = startXs("board", request, namesFile, this.xs);
    child.stdin.on("error", () => undefined); // It may have been switched off.
    child.stdout.on("data", output);
    this.child = child;
    return child;
  }

  input(bytes: Uint8Array): void {
    this.child?.stdin.write(bytes);
  }

  switchOff(): void {
    this.isOff = true;
    this.child?.stdin.end();
  }
}
