import { InputError } from "../../src/gpt/base/errors";
import { ProtocolClient } from "../../src/client/client";
import type { DeviceLine } from "../../src/protocol/lines";
import type { Port } from "../../src/device/serial";
import type { Settings } from "../../src/device/settings";
import { PERFECT, Simulation, type LinkQuality } from "./channel";
import { MemoryPlatform } from "./memory-platform";
import { MemoryStorage } from "./memory-storage";
import { type TestCable, TestDevice } from "./test-device";

/** Bytes that 115,200 baud carry in a millisecond, and that a UART keeps for them. */
const BYTES_PER_MILLISECOND = 11.52;
const FIFO_BYTES = 128;
/** Milliseconds that a look at the clock takes: so long is a step. */
const TICK = 20;

/** A device whose time is that of a simulation: while it works, the simulation goes on without it. */
class SimulatedPlatform extends MemoryPlatform {
  private time = 0;

  constructor(
    names: Uint8Array,
    storage: MemoryStorage | undefined,
    private readonly simulation: Simulation,
  ) {
    super(names, storage);
  }

  override now(): number {
    return (this.time = Math.max(this.time, this.simulation.time) + TICK);
  }

  /** A little later, so that whoever has waited meanwhile comes first. */
  override schedule(slice: () => void): void {
    this.after(this.time - this.simulation.time + 1, slice);
  }

  /** Calls back when so many milliseconds have passed, and the device does nothing else. */
  after(milliseconds: number, act: () => void): void {
    const busy = this.time - this.simulation.time;
    this.simulation.after(Math.max(0, milliseconds, busy), () => {
      if (this.time > this.simulation.time) this.after(0, act);
      else act();
    });
  }
}

/** The bytes of a serial line, with what befalls its lines. */
class SimulatedCable implements TestCable {
  quality: LinkQuality = PERFECT;
  private platform: SimulatedPlatform | undefined;
  private readonly arrived: number[] = [];
  private leaving = "";
  private rest = "";
  private memory = FIFO_BYTES;
  private writtenAt = 0;

  /** @param receive gets what the device has said, a line without its end */
  constructor(
    private readonly simulation: Simulation,
    private readonly receive: (line: string) => void,
  ) {}

  readonly platformOf = (names: Uint8Array, storage: MemoryStorage | undefined): MemoryPlatform =>
    (this.platform = new SimulatedPlatform(names, storage, this.simulation));

  readonly repeat = (callback: () => void, milliseconds: number): void => {
    const again = (): void => {
      callback();
      this.platform?.after(milliseconds, again);
    };
    this.simulation.after(milliseconds, again);
  };

  readonly port: Port = {
    read: (bytes) => {
      const piece = this.arrived.splice(0, bytes.length);
      bytes.set(piece);
      return piece.length;
    },
    write: (bytes, from, to) => {
      const { time } = this.simulation;
      this.memory = Math.min(FIFO_BYTES, this.memory + BYTES_PER_MILLISECOND * (time - this.writtenAt));
      this.writtenAt = time;
      const taken = Math.min(to - from, Math.floor(this.memory));
      this.memory -= taken;
      this.leave(bytes.subarray(from, from + taken));
      return taken;
    },
    flush: () => true,
  };

  /** Carries a line to the device. */
  send(line: string): void {
    this.simulation.carry(`${textOf(Buffer.from(line))}\n`, this.quality, (text) =>
      this.arrived.push(...Buffer.from(text, "latin1")),
    );
  }

  private leave(bytes: Uint8Array): void {
    const lines = (this.leaving + textOf(bytes)).split(/(?<=\n)/);
    this.leaving = lines.at(-1)?.endsWith("\n") ? "" : (lines.pop() ?? "");
    for (const line of lines) this.simulation.carry(line, this.quality, (text) => this.arrive(text));
  }

  private arrive(text: string): void {
    const lines = (this.rest + text).split("\n");
    this.rest = lines.pop() ?? "";
    for (const line of lines) this.receive(Buffer.from(line, "latin1").toString().replace(/\r+$/, ""));
  }
}

/** The device program and a client of it, and between them a serial line that may be bad. */
export class DeviceScene {
  readonly heard: DeviceLine[] = [];
  /** What has come that is no line of the protocol. */
  readonly texts: string[] = [];
  readonly device: TestDevice;
  readonly client: ProtocolClient;
  readonly simulation: Simulation;
  private readonly cable: SimulatedCable;

  constructor(
    seed = 1,
    settings: Settings = {},
    readonly storage = new MemoryStorage(),
    options: { readonly names?: readonly string[] } = {},
  ) {
    this.simulation = new Simulation(seed);
    this.cable = new SimulatedCable(this.simulation, (line) => this.client.receive(line));
    this.device = new TestDevice(settings, storage, { ...options, cable: this.cable });
    this.client = new ProtocolClient(
      this.simulation.link((line) => this.cable.send(line)),
      { onLine: (line) => this.heard.push(line), onText: (line) => this.texts.push(line) },
    );
  }

  set quality(quality: LinkQuality) {
    this.cable.quality = quality;
  }

  /** Lets time pass until the work is done. */
  async run<T>(work: Promise<T>): Promise<T> {
    try {
      return await this.simulation.run(work);
    } finally {
      this.device.check();
    }
  }

  /** Whether the work succeeds; what it fails with is a sentence. */
  async succeeds(work: Promise<unknown>): Promise<boolean> {
    try {
      await this.run(work);
      return true;
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      return false;
    }
  }

  /** Asks until there is an answer, as somebody would who sits there. */
  async open(): Promise<void> {
    while (!(await this.succeeds(this.client.open())));
  }

  /** Lets so many milliseconds pass. */
  live(milliseconds: number): Promise<void> {
    return this.run(new Promise((resolve) => void this.simulation.after(milliseconds, resolve)));
  }

  /** Lets time pass until the training has ended. */
  async finish(): Promise<void> {
    const begin = this.simulation.time;
    while (this.device.device.state !== "idle") {
      if (this.simulation.time > begin + 600_000) throw new Error("the training does not end");
      await this.live(100);
    }
  }
}

/** A byte a character, so that any byte can befall it. */
function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}
