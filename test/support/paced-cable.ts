import type { Port } from "../../src/device/serial";
import type { Link } from "../../src/client/commands";
import type { Trainer } from "../../src/gpt/training/trainer";
import { Random } from "../../src/gpt/model/random";
import type { Simulation } from "./channel";
import { MemoryPlatform } from "./memory-platform";
import type { NewFile } from "../../src/gpt/base/platform";
import { MemoryStorage } from "./memory-storage";
import type { TestCable } from "./test-device";

/** Bytes that 115,200 baud carry in a millisecond. */
const BYTES_PER_MS = 11.52;
const FIFO_BYTES = 128;

/** Milliseconds of work that a byte of input and of output cost: to take lines apart, and to make them. */
const READ_MS = 0.02;
const WRITE_MS = 0.005;
/** Milliseconds that a look at the clock takes, with what is done between two of them beside training. */
const LOOK_MS = 0.1;

/** A chip in simulated time, which does one thing at a time, and whose work takes time. */
class PacedPlatform extends MemoryPlatform {
  private time = 0;

  constructor(
    names: Uint8Array,
    storage: MemoryStorage | undefined,
    private readonly simulation: Simulation,
  ) {
    super(names, storage);
  }

  override now(): number {
    return this.spend(LOOK_MS);
  }

  /** Works for so long; returns what the clock says then. */
  spend(milliseconds: number): number {
    return (this.time = Math.max(this.time, this.simulation.time) + milliseconds);
  }

  /** A little later, so that timers that are due come first, as in the event loop of a chip. */
  override schedule(slice: () => void): void {
    this.after(Math.max(0, this.time - this.simulation.time) + 0.01, slice);
  }

  /** Calls back when so many milliseconds have passed, and the chip does nothing else. */
  after(milliseconds: number, act: () => void): void {
    this.simulation.after(Math.max(milliseconds, this.time - this.simulation.time), () => {
      if (this.time > this.simulation.time) this.after(0, act);
      else act();
    });
  }
}

/** Milliseconds in which a flash erases a sector, and in which it programs a piece: a data sheet's usual ones. */
const ERASE_MS = 45;
const PROGRAM_MS = 0.3;
const SECTOR_BYTES = 4096;
const PIECE_BYTES = 64;

/** Files in a flash that takes its time. */
export class PacedStorage extends MemoryStorage {
  /** @param spend works for so many milliseconds */
  constructor(private readonly spend: (milliseconds: number) => void) {
    super();
  }

  override async create(name: string): Promise<NewFile> {
    const file = await super.create(name);
    let size = 0;
    return {
      write: (bytes) => {
        file.write(bytes);
        const sectors = Math.ceil(size / SECTOR_BYTES);
        size += bytes.length;
        const erased = Math.ceil(size / SECTOR_BYTES) - sectors;
        this.spend(erased * ERASE_MS + Math.ceil(bytes.length / PIECE_BYTES) * PROGRAM_MS);
      },
      commit: () => {
        // Once in 25 saves littlefs moves a table to another sector: see littlefs.test.ts.
        this.spend(ERASE_MS + 4 * PROGRAM_MS);
        return file.commit();
      },
      abort: () => file.abort(),
    };
  }
}

export interface Pace {
  /** Milliseconds in which the chip trains on a name. */
  readonly nameMs: number;
  /** Bytes of input that the chip keeps; what comes beyond is lost. */
  readonly receiveBytes: number;
  /** Whether the flash takes its time. */
  readonly hasFlash?: boolean;
  /** Share of lines, each way, that are lost, and of those that are damaged. */
  readonly lost?: number;
  readonly damaged?: number;
}

/** A UART at 115,200 baud, a byte at a time each way, with 128 bytes for output. */
export class PacedCable implements TestCable {
  /** Bytes that have come too fast for the chip. */
  overrun = 0;
  private platform: PacedPlatform | undefined;
  private readonly random = new Random(7);
  /** Bytes on their way to the chip, and when each is there. */
  private readonly incoming: { readonly at: number; readonly byte: number }[] = [];
  private incomingUntil = 0;
  /** When all output has left, and the line that is leaving. */
  private outgoingUntil = 0;
  private line: number[] = [];

  /** @param receive gets what the chip has said, a line without its end */
  constructor(
    private readonly simulation: Simulation,
    private readonly pace: Pace,
    private readonly receive: (line: string) => void,
  ) {}

  /** What a program at the other end has. */
  get link(): Link {
    return this.simulation.link((line) => this.send(line));
  }

  readonly platformOf = (names: Uint8Array, storage: MemoryStorage | undefined): MemoryPlatform =>
    (this.platform = new PacedPlatform(names, storage, this.simulation));

  /** Lets training take its time. */
  slowDown(trainer: Trainer): void {
    const name = trainer.trainDocument.bind(trainer);
    trainer.trainDocument = () => {
      this.platform?.spend(this.pace.nameMs);
      return name();
    };
  }

  /** Lets the chip work for so many milliseconds. */
  readonly spend = (milliseconds: number): void => void this.platform?.spend(milliseconds);

  readonly repeat = (callback: () => void, milliseconds: number): void => {
    const again = (): void => {
      this.platform?.after(milliseconds, again);
      callback();
    };
    this.simulation.after(milliseconds, again);
  };

  readonly port: Port = {
    read: (bytes) => {
      const { time } = this.simulation;
      const come = this.incoming.findIndex(({ at }) => at > time);
      const arrived = this.incoming.splice(0, come < 0 ? this.incoming.length : come);
      this.overrun += Math.max(0, arrived.length - this.pace.receiveBytes);
      const kept = arrived.slice(0, this.pace.receiveBytes);
      this.incoming.unshift(...kept.splice(bytes.length));
      this.platform?.spend(READ_MS * kept.length);
      bytes.set(kept.map(({ byte }) => byte));
      return kept.length;
    },
    write: (bytes, from, to) => {
      const { time } = this.simulation;
      const waiting = Math.max(0, this.outgoingUntil - time) * BYTES_PER_MS;
      const taken = Math.min(to - from, Math.floor(FIFO_BYTES - waiting));
      for (const byte of bytes.subarray(from, from + taken)) {
        this.outgoingUntil = Math.max(this.outgoingUntil, time) + 1 / BYTES_PER_MS;
        if (byte === 10) this.leave();
        else this.line.push(byte);
      }
      this.platform?.spend(WRITE_MS * taken);
      return taken;
    },
    flush: () => true,
  };

  private send(line: string): void {
    const bytes = this.fate(Buffer.from(`${line}\n`));
    for (const byte of bytes) {
      this.incomingUntil = Math.max(this.incomingUntil, this.simulation.time) + 1 / BYTES_PER_MS;
      this.incoming.push({ at: this.incomingUntil, byte });
    }
  }

  private leave(): void {
    const bytes = this.fate(Buffer.from(this.line));
    this.line = [];
    if (bytes.length === 0) return;
    const text = bytes.toString().replace(/\r+$/, "");
    this.simulation.after(this.outgoingUntil - this.simulation.time, () => this.receive(text));
  }

  /** What becomes of a line on its way. */
  private fate(bytes: Buffer): Buffer {
    const { lost = 0, damaged = 0 } = this.pace;
    const chance = this.random.uniform();
    if (chance < lost) return Buffer.alloc(0);
    if (chance < lost + damaged) bytes[this.random.index(bytes.length - 1)] ^= 1;
    return bytes;
  }
}
