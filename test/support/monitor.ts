import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { start } from "./cli";

/** A monitor that is connected to a board. */
export interface Session {
  readonly program: ChildProcessWithoutNullStreams;
  readonly board: Socket;
}

/** The place of a board that the monitor reaches over TCP. */
export class BoardServer {
  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  /** @param port any that is free, unless it is to be a certain one */
  static async listen(port = 0): Promise<BoardServer> {
    const server = createServer().listen(port, "127.0.0.1");
    await once(server, "listening");
    return new BoardServer(server, (server.address() as AddressInfo).port);
  }

  get address(): string {
    return `tcp://127.0.0.1:${this.port}`;
  }

  async connected(...options: string[]): Promise<Session> {
    const program = start("monitor", "--port", this.address, ...options);
    return { program, board: await this.next() };
  }

  async next(): Promise<Socket> {
    const [board] = (await once(this.server, "connection")) as [Socket];
    // It may be cut off while it writes.
    return board.on("error", () => undefined);
  }

  close(): void {
    this.server.close();
  }
}
