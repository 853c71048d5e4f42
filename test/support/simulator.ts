import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { start } from "./cli";
import { until } from "./programs";

/** A model whose checkpoint is soon carried, and a training that does not end by itself. */
export const SMALL = ["n_embd=4", "n_head=1", "steps=1000000000", "log_every=1000000"];

/** `esp32gpt simulate`, its serial port a TCP server. */
export class SimulatedBoard {
  private constructor(
    private readonly program: ChildProcessWithoutNullStreams,
    readonly port: number,
  ) {}

  /** @param options of the command */
  static async start(...options: string[]): Promise<SimulatedBoard> {
    const program = start("simulate", "--listen", "127.0.0.1:0", ...options);
    const said = await until(program, "stderr", /:\d+\n/);
    return new SimulatedBoard(program, Number(/:(\d+)\n/.exec(said)?.[1]));
  }

  get address(): string {
    return `tcp://127.0.0.1:${this.port}`;
  }

  /** Switches it off. */
  async stop(): Promise<void> {
    if (this.program.exitCode !== null) return;
    this.program.kill("SIGTERM");
    await once(this.program, "exit");
  }
}

/** A cable to a board, which can be cut. */
export class Cable {
  /** Bytes that the board has said. */
  said = "";
  /** Called when the board has said something, or somebody something to it. */
  carried: () => void = () => undefined;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  /** @param port any that is free, unless it is to be a certain one */
  static async lay(board: SimulatedBoard, port = 0): Promise<Cable> {
    const server = createServer();
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    const cable = new Cable(server, (server.address() as AddressInfo).port);
    server.on("connection", (near) => cable.join(near, connect(board.port, "127.0.0.1")));
    return cable;
  }

  get address(): string {
    return `tcp://127.0.0.1:${this.port}`;
  }

  /** Nobody gets through any more. */
  cut(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private join(near: Socket, far: Socket): void {
    for (const [from, to] of [
      [near, far],
      [far, near],
    ]) {
      this.sockets.add(from);
      from.on("error", () => undefined).on("close", () => to.destroy());
      from.on("data", (bytes: Buffer) => {
        to.write(bytes);
        if (from === far) this.said += String(bytes);
        this.carried();
      });
    }
  }
}
