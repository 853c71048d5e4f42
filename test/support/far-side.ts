import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** The lines that a computer sets; those that are left out stay as they are. */
export interface Signals {
  readonly dataTerminalReady?: boolean;
  readonly requestToSend?: boolean;
}

/** What is at the far side of a serial cable. */
export interface FarSide {
  /** Bytes to the computer; set by whoever lays the cable. */
  send: (bytes: Buffer) => void;
  /** The computer opens its side, at a speed in baud; rejects when that cannot be. */
  open(speed: number): Promise<void> | undefined;
  /** Bytes from the computer. */
  receive(bytes: Buffer): void;
  setSignals(signals: Signals): void;
  /** The computer has closed its side, or the cable is out. */
  close(): void;
}

/** A board that listens on a TCP port, which has no speed and no signals. */
export class TcpFarSide implements FarSide {
  send: (bytes: Buffer) => void = () => undefined;
  private socket: Socket | undefined;

  constructor(private readonly port: number) {}

  async open(): Promise<void> {
    const socket = connect(this.port, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.on("data", (bytes) => this.send(bytes));
    this.socket = socket;
    await once(socket, "connect");
  }

  receive(bytes: Buffer): void {
    this.socket?.write(bytes);
  }

  setSignals(): void {
    // They end at the socket.
  }

  close(): void {
    this.socket?.destroy();
    this.socket = undefined;
  }
}
