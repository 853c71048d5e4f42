import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "../helpers";
import type { FarSide } from "./far-side";
import { until } from "./programs";

/** A pseudo-terminal in the place of a serial port: it has neither speed nor signals, and a cable that can be pulled. */
export class PtyPort {
  private constructor(
    private readonly bridge: ChildProcessWithoutNullStreams,
    readonly path: string,
  ) {}

  static async open(farSide: FarSide): Promise<PtyPort> {
    const bridge = spawn("python3", [join(ROOT, "test", "support", "pty-port.py")]);
    bridge.stdin.on("error", () => undefined);
    farSide.send = (bytes) => void bridge.stdin.write(bytes);
    bridge.stdout.on("data", (bytes: Buffer) => farSide.receive(bytes));
    return new PtyPort(bridge, (await until(bridge, "stderr", /\n/)).trim());
  }

  /** Pulls the cable out. */
  close(): void {
    this.bridge.kill("SIGKILL");
  }
}
