/*
 * The part of the telnet protocol (RFC 854, RFC 855) that a remote serial port needs: a byte stream with embedded
 * commands that begin with IAC.
 */

export const IAC = 255;
const SB = 250;
const SE = 240;
export const WILL = 251;
export const WONT = 252;
export const DO = 253;
export const DONT = 254;

/** No answer that we expect is longer. */
const LONGEST_SUBNEGOTIATION = 64;

export interface TelnetListener {
  /** WILL, WONT, DO or DONT. */
  negotiated(verb: number, option: number): void;
  /** @param bytes the first one is the option */
  subnegotiated(bytes: readonly number[]): void;
}

type State = "data" | "command" | "negotiation" | "subnegotiation" | "subnegotiation-command";

/** Separates data from commands in a telnet stream. */
export class TelnetReader {
  private state: State = "data";
  private verb = 0;
  private sub: number[] = [];

  constructor(private readonly listener: TelnetListener) {}

  /** Returns the data bytes; commands go to the listener. */
  read(bytes: Uint8Array): Uint8Array {
    const data = new Uint8Array(bytes.length);
    let length = 0;
    for (const byte of bytes) if (this.isData(byte)) data[length++] = byte;
    return data.subarray(0, length);
  }

  private isData(byte: number): boolean {
    switch (this.state) {
      case "data":
        if (byte !== IAC) return true;
        this.state = "command";
        return false;
      case "command":
        this.state = "data";
        if (byte === IAC) return true;
        if (byte >= WILL && byte <= DONT) {
          this.verb = byte;
          this.state = "negotiation";
        } else if (byte === SB) {
          this.sub = [];
          this.state = "subnegotiation";
        }
        return false;
      case "negotiation":
        this.state = "data";
        this.listener.negotiated(this.verb, byte);
        return false;
      case "subnegotiation":
        if (byte === IAC) this.state = "subnegotiation-command";
        else this.take(byte);
        return false;
      case "subnegotiation-command":
        this.state = byte === SE ? "data" : "subnegotiation";
        if (byte === IAC) this.take(byte);
        else if (byte === SE && this.sub.length <= LONGEST_SUBNEGOTIATION) this.listener.subnegotiated(this.sub);
        return false;
    }
  }

  private take(byte: number): void {
    if (this.sub.length <= LONGEST_SUBNEGOTIATION) this.sub.push(byte);
  }
}

/** Escapes data for sending: doubles each IAC. */
export function escapeData(bytes: Uint8Array): Uint8Array {
  if (!bytes.includes(IAC)) return bytes;
  return Uint8Array.from([...bytes].flatMap((byte) => (byte === IAC ? [IAC, IAC] : [byte])));
}

export function negotiation(verb: number, option: number): Uint8Array {
  return Uint8Array.of(IAC, verb, option);
}

export function subnegotiation(option: number, ...bytes: number[]): Uint8Array {
  return Uint8Array.of(IAC, SB, ...escapeData(Uint8Array.of(option, ...bytes)), IAC, SE);
}
