import { STORED } from "../../src/device/checkpoint-files";
import { ProtocolClient } from "../../src/client/client";
import { Simulation } from "../support/channel";
import { MemoryStorage } from "../support/memory-storage";
import { type Pace, PacedCable, PacedStorage } from "../support/paced-cable";
import { ALL_LETTERS, TestDevice } from "../support/test-device";

/*
 * How long a checkpoint of the default model takes over a cable at 115,200 baud, and how soon a board answers meanwhile.
 * All of it in simulated time, so that it is the same on every computer.
 */

const MAX_TRANSFER_MS = 12_000;
const MAX_ANSWER_MS = 100;
/** An answer may wait for a sector to be erased; where the UART cannot take it whole, for two. */
const MAX_ANSWER_WITH_FLASH_MS = 125;
const ASK_EVERY_MS = 317;
const DEFAULT_MODEL = { n_embd: 16, steps: 1_000_000, save_every: 30, samples: 0, log_every: 100 };

/** A board that trains, and a program at its cable. */
class PacedScene {
  readonly simulation = new Simulation(1);
  readonly cable: PacedCable;
  readonly client: ProtocolClient;
  readonly storage: MemoryStorage;
  readonly device: TestDevice;
  /** Milliseconds that each answer to status took. */
  readonly answers: number[] = [];

  constructor(pace: Pace, settings: Record<string, unknown> = {}) {
    this.cable = new PacedCable(this.simulation, pace, (line) => this.client.receive(line));
    this.storage = pace.hasFlash ? new PacedStorage(this.cable.spend) : new MemoryStorage();
    const options = { ...ALL_LETTERS, cable: this.cable };
    this.device = new TestDevice({ ...DEFAULT_MODEL, ...settings }, this.storage, options);
    this.cable.slowDown(this.device.device.trainer);
    const heard = (): void => undefined;
    this.client = new ProtocolClient(this.cable.link, { onLine: heard, onText: () => undefined });
  }

  async run<T>(work: Promise<T>): Promise<T> {
    try {
      return await this.simulation.run(work);
    } finally {
      this.device.check();
    }
  }

  live(milliseconds: number): Promise<void> {
    return this.run(new Promise((resolve) => void this.simulation.after(milliseconds, resolve)));
  }

  /** Does something while somebody asks for the status again and again; returns how long it took. */
  async measure(work: () => Promise<unknown>): Promise<number> {
    let isOver = false;
    const ask = (): void => {
      if (isOver) return;
      const at = this.simulation.time;
      void this.client.run("status").then(
        () => this.answers.push(this.simulation.time - at),
        () => undefined,
      );
      this.simulation.after(ASK_EVERY_MS, ask);
    };
    this.simulation.after(50, ask);
    const from = this.simulation.time;
    await this.run(work());
    isOver = true;
    return this.simulation.time - from;
  }
}

async function opened(pace: Pace, settings?: Record<string, unknown>): Promise<PacedScene> {
  const scene = new PacedScene(pace, settings);
  await scene.live(500);
  await scene.run(scene.client.open());
  return scene;
}

jest.setTimeout(240_000);

describe.each<[string, Pace, Record<string, unknown>]>([
  ["trains, names in 2.3 ms", { nameMs: 2.3, receiveBytes: 128 }, {}],
  ["trains batches of 8, names in 5 ms", { nameMs: 5, receiveBytes: 128 }, { batch_size: 8 }],
  ["trains, with the driver's 4 KB for input", { nameMs: 2.3, receiveBytes: 4096 }, {}],
  ["trains, with its flash's time", { nameMs: 2.3, receiveBytes: 4096, hasFlash: true }, {}],
])("a board that %s", (_, pace, settings) => {
  test("is fetched and sent a checkpoint within 12 s, and answers soon meanwhile", async () => {
    const scene = await opened(pace, settings);
    let bytes = new Uint8Array(0);
    const fetching = await scene.measure(
      async () => (bytes = Uint8Array.from(await scene.client.fetch(() => undefined))),
    );
    expect(bytes.length).toBeGreaterThan(50_000);
    const sending = await scene.measure(() => scene.client.send(bytes, () => undefined));
    expect(scene.storage.file(STORED).length).toBe(bytes.length);
    expect(fetching).toBeLessThanOrEqual(MAX_TRANSFER_MS);
    expect(sending).toBeLessThanOrEqual(MAX_TRANSFER_MS);
    expect(scene.answers.length).toBeGreaterThan(50);
    expect(Math.max(...scene.answers)).toBeLessThanOrEqual(pace.hasFlash ? MAX_ANSWER_WITH_FLASH_MS : MAX_ANSWER_MS);
    expect([scene.cable.overrun, scene.client.lost]).toEqual([0, 0]);
  });

  test("is fetched and sent a checkpoint although lines are lost and damaged", async () => {
    const scene = await opened({ ...pace, lost: 0.01, damaged: 0.01 }, settings);
    const bytes = Uint8Array.from(await scene.run(scene.client.fetch(() => undefined)));
    await scene.run(scene.client.send(bytes, () => undefined));
    expect(scene.storage.file(STORED).length).toBe(bytes.length);
  });
});

test("a board that rests is fetched and sent a checkpoint within 12 s", async () => {
  const scene = await opened({ nameMs: 0.5, receiveBytes: 128 });
  await scene.run(scene.client.run("pause"));
  let bytes = new Uint8Array(0);
  const fetching = await scene.measure(
    async () => (bytes = Uint8Array.from(await scene.client.fetch(() => undefined))),
  );
  const sending = await scene.measure(() => scene.client.send(bytes, () => undefined));
  expect(Math.max(fetching, sending)).toBeLessThanOrEqual(MAX_TRANSFER_MS);
  expect(Math.max(...scene.answers)).toBeLessThanOrEqual(MAX_ANSWER_MS);
});

test("a board that saves every second trains, and answers as soon as a sector is erased", async () => {
  const scene = await opened({ nameMs: 2.3, receiveBytes: 4096, hasFlash: true }, { save_every: 1 });
  await scene.measure(() => scene.live(60_000));
  const answers = scene.answers.toSorted((a, b) => a - b);
  expect(answers.length).toBeGreaterThan(150);
  expect(answers[Math.floor(0.95 * answers.length)]).toBeLessThanOrEqual(MAX_ANSWER_MS);
  expect(answers.at(-1)).toBeLessThanOrEqual(MAX_ANSWER_WITH_FLASH_MS);
  expect(scene.device.device.trainer.totalSteps).toBeGreaterThan(10_000);
});
