import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { DO, escapeData, negotiation, subnegotiation, TelnetReader, WILL } from "../../host/monitor/telnet";
import type { FarSide, Signals } from "./far-side";

const COM_PORT = 44;
const SET_BAUDRATE = 1;
const SET_CONTROL = 5;
const ANSWER = 100;

/** Values of SET_CONTROL. */
const SIGNALS = new Map<number, Signals>([
  [8, { dataTerminalReady: true }],
  [9, { dataTerminalReady: false }],
  [11, { requestToSend: true }],
  [12, { requestToSend: false }],
]);

/** A serial port behind a server that speaks RFC 2217: bytes, speed, DTR and RTS reach the far side of its cable. */
export class Rfc2217Server {
  /** Speeds that the port was set to, in baud. */
  readonly speeds: number[] = [];
  /** What its lines were set to. */
  readonly signals: Signals[] = [];
  private socket: Socket | undefined;

  private constructor(
    private readonly server: Server,
    private readonly farSide: FarSide,
  ) {
    server.on("connection", (socket) => this.serve(socket));
  }

  static async listen(farSide: FarSide): Promise<Rfc2217Server> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Rfc2217Server(server, farSide);
  }

  get url(): string {
    return `rfc2217://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Pulls the cable out. */
  pull(): void {
    this.socket?.destroy();
  }

  close(): void {
    this.pull();
    this.server.close();
  }

  private serve(socket: Socket): void {
    this.socket = socket;
    const { farSide } = this;
    farSide.send = (bytes) => void (socket.writable && socket.write(escapeData(bytes)));
    const answer = (what: number, values: readonly number[]): void =>
      void socket.write(subnegotiation(COM_PORT, what + ANSWER, ...values));
    const reader = new TelnetReader({
      negotiated(verb, option) {
        if (verb === WILL) socket.write(negotiation(DO, option));
        if (verb === DO) socket.write(negotiation(WILL, option));
      },
      subnegotiated: ([option, what, ...values]) => {
        if (option !== COM_PORT || what >= ANSWER) return;
        if (what === SET_BAUDRATE) {
          const speed = Buffer.from(values).readUInt32BE();
          this.speeds.push(speed);
          void farSide.open(speed);
        }
        const signals = what === SET_CONTROL ? SIGNALS.get(values[0]) : undefined;
        if (signals) {
          this.signals.push(signals);
          farSide.setSignals(signals);
        }
        answer(what, values);
      },
    });
    socket
      .on("data", (bytes: Buffer) => {
        const data = reader.read(bytes);
        if (data.length > 0) farSide.receive(Buffer.from(data));
      })
      .on("error", () => undefined)
      .on("close", () => farSide.close());
  }
}
