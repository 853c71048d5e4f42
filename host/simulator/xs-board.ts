import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { Duplex } from "node:stream";
import type { Board, BoardOptions } from "./board";
import { bundleNamed, failureOf, memoryBudgetOf, startXs, type XsOptions } from "../xs/engine";
import { type BoardRequest, EXIT_REBOOT } from "../xs/protocol";

/** The device program on the XS engine, with the heap sizes of the device, in a child process. */
export class XsBoard implements Board {
  readonly port: Duplex;
  private child: ChildProcessWithoutNullStreams | undefined;
  private isOff = false;

  constructor(
    private readonly options: BoardOptions,
    private readonly xs: XsOptions,
  ) {
    this.port = new Duplex({
      read: () => void this.child?.stdout.resume(),
      // Input that is sent during a restart is lost.
      write: (bytes: Uint8Array, _encoding, done) => void this.child?.stdin.write(bytes, () => done()),
      final: (done) => {
        this.isOff = true;
        this.child?.stdin.end();
        done();
      },
    });
  }

  async live(): Promise<void> {
    let exitCode: number | null = EXIT_REBOOT;
    let complaint = "";
    while (exitCode === EXIT_REBOOT && !this.isOff) {
      complaint = "";
      const child = this.powerOn();
      child.stderr.setEncoding("utf8").on("data", (text: string) => (complaint += text));
      [exitCode] = (await once(child, "close")) as [number | null];
    }
    this.port.push(null);
    if (exitCode === 0) this.options.usage(complaint);
    else if (exitCode !== EXIT_REBOOT && !(this.isOff && complaint === ""))
      throw await failureOf(bundleNamed("board"), exitCode, complaint);
  }

  private powerOn(): ChildProcessWithoutNullStreams {
    const { settings, namesFile, namesName, folder, dtype } = this.options;
    const memory = memoryBudgetOf(this.xs);
    const request: BoardRequest = { settings, namesFile: namesName, folder, dtype, memory };
    const child = startXs(bundleNamed("board"), request, namesFile, this.xs);
    const { port } = this;
    child.stdin.on("error", () => undefined); // The process may have exited.
    child.stdout.on("data", (bytes: Uint8Array) => {
      if (!port.destroyed && !port.push(bytes)) child.stdout.pause();
    });
    this.child = child;
    return child;
  }

  switchOff(): void {
    this.isOff = true;
    this.port.destroy();
    // Discard the remaining output, so that a full pipe does not keep the process alive.
    this.child?.stdout.resume();
    this.child?.kill("SIGTERM");
  }
}
