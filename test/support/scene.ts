import { ProtocolClient } from "../../src/client/client";
import type { DeviceLine } from "../../src/protocol/lines";
import { PERFECT, Simulation } from "./channel";
import { FakeDevice } from "./fake-device";

/** A client and a device, and what lies between them. */
export class Scene {
  readonly heard: DeviceLine[] = [];
  readonly texts: string[] = [];
  readonly sent: string[] = [];
  readonly simulation: Simulation;
  readonly device: FakeDevice;
  readonly client: ProtocolClient;
  quality = PERFECT;
  /** Whether a line is lost, whatever the weather. */
  drops: (line: string) => boolean = () => false;

  constructor(seed = 1, options: ConstructorParameters<typeof FakeDevice>[2] = {}, firstId = 1) {
    this.simulation = new Simulation(seed);
    this.device = new FakeDevice(
      (line) => this.carry(line, (arrived) => this.client.receive(arrived)),
      fileOf(1000),
      options,
    );
    const link = this.simulation.link((line) => {
      this.sent.push(line);
      this.carry(line, (arrived) => this.device.receive(arrived));
    });
    this.client = new ProtocolClient(
      link,
      { onLine: (line) => this.heard.push(line), onText: (line) => this.texts.push(line) },
      firstId,
    );
  }

  run<T>(work: Promise<T>): Promise<T> {
    return this.simulation.run(work);
  }

  open(): Promise<DeviceLine> {
    return this.run(this.client.open());
  }

  private carry(line: string, receive: (line: string) => void): void {
    if (!this.drops(line)) this.simulation.carry(line, this.quality, receive);
  }

  /** The device says something all the time, as in training. */
  chatter(interval = 200): void {
    this.device.emit("step", { step: 1, steps: 1000, loss: 2.5 });
    this.simulation.after(interval, () => this.chatter(interval));
  }
}

/** Bytes that are not the same anywhere near each other. */
export function fileOf(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => (i * 131 + (i >> 8) * 7) & 255);
}

/** What is true of the first line alone that has a text in it. */
export function firstWith(text: string): (line: string) => boolean {
  let isFirst = true;
  return (line) => {
    if (!isFirst || !line.includes(text)) return false;
    isFirst = false;
    return true;
  };
}
