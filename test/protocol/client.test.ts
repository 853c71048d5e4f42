import fc from "fast-check";
import { InputError } from "../../src/errors";
import { ProtocolClient } from "../../src/protocol/client";
import { type DeviceLine, readTagged, sealLine } from "../../src/protocol/lines";
import { CALM, Simulation, type Weather } from "../support/channel";
import { FakeDevice } from "../support/fake-device";
import { fuzzRuns } from "../support/fuzz";

/** A client and a device, and what lies between them. */
class Scene {
  readonly heard: DeviceLine[] = [];
  readonly texts: string[] = [];
  readonly sent: string[] = [];
  readonly simulation: Simulation;
  readonly device: FakeDevice;
  readonly client: ProtocolClient;
  weather = CALM;

  constructor(seed = 1, options: ConstructorParameters<typeof FakeDevice>[2] = {}, firstId = 1) {
    this.simulation = new Simulation(seed);
    this.device = new FakeDevice(
      (line) => this.simulation.carry(line, this.weather, (arrived) => this.client.receive(arrived)),
      fileOf(1000),
      options,
    );
    const link = this.simulation.link((line) => {
      this.sent.push(line);
      this.simulation.carry(line, this.weather, (arrived) => this.device.receive(arrived));
    });
    this.client = new ProtocolClient(
      link,
      { heard: (line) => this.heard.push(line), text: (line) => this.texts.push(line) },
      firstId,
    );
  }

  run<T>(work: Promise<T>): Promise<T> {
    return this.simulation.run(work);
  }

  open(): Promise<DeviceLine> {
    return this.run(this.client.open());
  }

  /** The device says something all the time, as in training. */
  chatter(interval = 200): void {
    this.device.tell("step", { step: 1, steps: 1000, loss: 2.5 });
    this.simulation.after(interval, () => this.chatter(interval));
  }
}

function fileOf(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => (i * 131 + (i >> 8) * 7) & 255);
}

const nothing = (): void => undefined;

describe("commands", () => {
  test("open the protocol, are carried out and acknowledged", async () => {
    const scene = new Scene();
    expect(await scene.open()).toMatchObject({ type: "hello", protocol: 1, place: "ESP32", n: 0 });
    expect(await scene.run(scene.client.run("status"))).toEqual({ ok: true });
    expect(scene.heard.map(({ type }) => type)).toEqual(["hello", "state", "ack", "answer", "ack"]);
    expect(scene.sent.map((line) => readTagged(line)?.id)).toEqual([1, 2]);
  });

  test("that the device refuses reject with its sentence", async () => {
    const scene = new Scene();
    await scene.open();
    await expect(scene.run(scene.client.run("dance"))).rejects.toThrow(new InputError("There is no command dance."));
  });

  test("have numbers that go from 65535 to 1", async () => {
    const scene = new Scene(1, {}, 65534);
    await scene.open();
    for (const command of ["status", "status"]) await scene.run(scene.client.run(command));
    expect(scene.sent.map((line) => readTagged(line)?.id)).toEqual([65534, 65535, 1]);
  });

  test("are as long as a line can be at most", async () => {
    const scene = new Scene();
    await expect(scene.client.run("x".repeat(109))).rejects.toThrow("1 bytes too long");
    expect(scene.sent).toEqual([]);
  });

  test("that are lost are sent again after two seconds of silence, and then given up with a sentence", async () => {
    const scene = new Scene();
    await scene.open();
    scene.weather = { ...CALM, lost: 1 };
    const begin = scene.simulation.time;
    await expect(scene.run(scene.client.run("status"))).rejects.toThrow(/^The board does not answer/);
    expect(new Set(scene.sent.slice(1)).size).toBe(1);
    expect(scene.sent).toHaveLength(1 + 6);
    expect(scene.simulation.time - begin).toBeGreaterThanOrEqual(12_000);
    expect(scene.simulation.time - begin).toBeLessThan(14_000);
  });

  test("that are lost are sent again though the device always has something to say", async () => {
    const scene = new Scene();
    await scene.open();
    scene.chatter();
    scene.weather = { ...CALM, lost: 1 };
    const status = scene.client.run("status");
    scene.weather = CALM;
    await scene.run(status);
    expect(scene.device.done).toEqual(["set log json", "status"]);
    expect(scene.simulation.time).toBeLessThan(6000);
  });

  test("that came are not carried out again when their acknowledgement is lost", async () => {
    const scene = new Scene();
    await scene.open();
    const status = scene.client.run("status");
    scene.simulation.after(4, () => (scene.weather = { ...CALM, lost: 1 }));
    scene.simulation.after(1000, () => (scene.weather = CALM));
    await scene.run(status);
    expect(scene.device.done).toEqual(["set log json", "status"]);
  });

  test("that the device has forgotten are not sent again", async () => {
    const scene = new Scene();
    await scene.open();
    const work = scene.client.run("status", { isLong: true });
    scene.weather = { ...CALM, lost: 1 };
    const others = Array.from({ length: 8 }, () => scene.client.run("status"));
    const all = [work, ...others].map((each) => each.catch(nothing));
    await scene.run(Promise.all(all));
    expect(scene.sent.filter((line) => line === scene.sent[1])).toHaveLength(1);
  });

  test("that arrive damaged are sent again at once", async () => {
    const scene = new Scene();
    await scene.open();
    scene.weather = { ...CALM, damaged: 1 };
    const status = scene.client.run("status");
    scene.weather = CALM;
    await scene.run(status);
    expect(scene.simulation.time).toBeLessThan(1000);
  });

  test("fail when they are cancelled, with the reason", async () => {
    const scene = new Scene();
    await scene.open();
    const status = scene.client.run("status");
    scene.client.cancel(new Error("enough"));
    await expect(status).rejects.toThrow("enough");
  });
});

describe("lines", () => {
  test("that are lost are counted; a hello begins anew", () => {
    const { client, heard } = new Scene();
    const say = (n: number, type = "x"): void => client.receive(sealLine(n, { type }));
    for (const n of [7, 8, 11, 11, 9]) say(n);
    expect([client.lost, heard.map(({ n }) => n)]).toEqual([2, [7, 8, 11]]);
    say(0, "hello");
    for (const n of [1, 3]) say(n);
    expect(client.lost).toBe(3);
  });

  test("that are text are told as text; damaged ones are passed over", () => {
    const { client, heard, texts } = new Scene();
    for (const line of ["step    0/1000: loss = 3.2986", "", "{", '{"n":1,"type":"x","crc":"00000000"}', "ets Jun  8"])
      client.receive(line);
    expect([heard, texts]).toEqual([[], ["step    0/1000: loss = 3.2986", "{", "ets Jun  8"]]);
  });

  test("of another version are told so", async () => {
    await expect(new Scene(1, { protocol: 2 }).open()).rejects.toThrow(/speaks version 2 of .* this program 1/);
    await expect(new Scene(1, { protocol: undefined }).open()).rejects.toThrow(/does not answer/);
  });
});

describe("a checkpoint", () => {
  test.each([1, 191, 192, 193, 768, 769, 50_000])("of %i bytes comes and goes as it is", async (size) => {
    const scene = new Scene();
    await scene.open();
    scene.device.file = fileOf(size);
    const fetched: number[] = [];
    expect(await scene.run(scene.client.fetch((done) => fetched.push(done)))).toEqual(fileOf(size));
    expect(fetched.at(-1)).toBe(size);
    const other = fileOf(size).reverse();
    const sent: number[] = [];
    await scene.run(scene.client.send(other, (done) => sent.push(done)));
    expect(scene.device.file).toEqual(other);
    expect(sent.at(-1)).toBe(size);
    expect(sent).toEqual(sent.toSorted((a, b) => a - b));
  });

  test("has at most eight lines under way, and no line twice where none is lost", async () => {
    const scene = new Scene();
    await scene.open();
    await scene.run(scene.client.send(fileOf(6000), nothing));
    expect(scene.sent).toHaveLength(1 + 1 + 100 + 1);
  });

  test("that the device refuses is told with its sentence, and it keeps what it has", async () => {
    const scene = new Scene(1, { refuses: () => "It is no checkpoint." });
    await scene.open();
    await expect(scene.run(scene.client.send(fileOf(100), nothing))).rejects.toThrow("It is no checkpoint.");
    expect(scene.device.file).toEqual(fileOf(1000));
  });

  test("is one at a time", async () => {
    const scene = new Scene();
    await scene.open();
    const fetching = scene.client.fetch(nothing);
    await expect(scene.client.send(fileOf(1), nothing)).rejects.toThrow("carried already");
    await scene.run(fetching);
    await scene.run(scene.client.send(fileOf(1), nothing));
  });

  test.each(["fetch", "send"])(
    "that is cancelled during %s fails with the reason, and the device is told",
    async (how) => {
      const scene = new Scene();
      await scene.open();
      scene.device.file = fileOf(9000);
      const work: Promise<unknown> =
        how === "fetch" ? scene.client.fetch(nothing) : scene.client.send(fileOf(9000), nothing);
      scene.simulation.after(100, () => scene.client.cancel(new Error("enough")));
      await expect(scene.run(work)).rejects.toThrow("enough");
      await scene.run(scene.client.run("status"));
      expect(scene.device.done.slice(-2)).toEqual([how === "fetch" ? "fetched" : "cancel", "status"]);
      expect(scene.device.file).toEqual(fileOf(9000));
    },
  );

  test("of a device that restarts meanwhile ends with a sentence", async () => {
    for (const how of ["fetch", "send"] as const) {
      const scene = new Scene();
      await scene.open();
      scene.device.file = fileOf(9000);
      const work: Promise<unknown> =
        how === "fetch" ? scene.client.fetch(nothing) : scene.client.send(fileOf(9000), nothing);
      scene.simulation.after(30, () => scene.device.restart());
      await expect(scene.run(work)).rejects.toThrow(InputError);
    }
  });

  test("of a size that no board has is not even begun", async () => {
    const scene = new Scene();
    await scene.open();
    const work = scene.client.fetch(nothing);
    scene.simulation.after(6, () => scene.device.tell("chunk", { at: 0, size: 2 ** 40, data: "" }));
    await expect(scene.run(work)).rejects.toThrow("more than a checkpoint");
  });
});

const share = (most: number): fc.Arbitrary<number> => fc.double({ min: 0, max: most, noNaN: true });
const anyWeather: fc.Arbitrary<Weather> = fc.record({
  lost: share(0.3),
  damaged: share(0.3),
  doubled: share(0.3),
  delayed: share(0.3),
});

/** Whether the work succeeds; what it fails with is a sentence. */
async function succeeds(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return false;
  }
}

const SIZES = fc.integer({ min: 1, max: 3000 });
const SEEDS = fc.integer({ min: 1, max: 1e6 });

describe("over a line that loses, damages, doubles and delays", () => {
  const parameters = {
    numRuns: fuzzRuns(150),
    ...(process.env.ESP32GPT_FUZZ_SEED ? { seed: Number(process.env.ESP32GPT_FUZZ_SEED) } : {}),
  };

  test("a file that is fetched is the right one, or there is a sentence", async () => {
    let successes = 0;
    await fc.assert(
      fc.asyncProperty(SEEDS, anyWeather, SIZES, async (seed, weather, size) => {
        const scene = new Scene(seed);
        scene.weather = weather;
        scene.device.file = fileOf(size);
        scene.chatter(700);
        if (!(await succeeds(scene.open()))) return;
        let bytes: Uint8Array | undefined;
        if (!(await succeeds(scene.run(scene.client.fetch(nothing).then((all) => (bytes = all)))))) return;
        expect(bytes).toEqual(fileOf(size));
        successes++;
      }),
      parameters,
    );
    expect(successes).toBeGreaterThan(parameters.numRuns / 2);
  });

  test("a file that was sent is what the device has, or there is a sentence", async () => {
    let successes = 0;
    await fc.assert(
      fc.asyncProperty(SEEDS, anyWeather, SIZES, async (seed, weather, size) => {
        const scene = new Scene(seed);
        scene.weather = weather;
        scene.chatter(700);
        const file = fileOf(size).reverse();
        if (!(await succeeds(scene.open()))) return;
        if (!(await succeeds(scene.run(scene.client.send(file, nothing))))) return;
        expect(scene.device.file).toEqual(file);
        successes++;
      }),
      parameters,
    );
    expect(successes).toBeGreaterThan(parameters.numRuns / 2);
  });

  test("a command is carried out once, or there is a sentence", async () => {
    await fc.assert(
      fc.asyncProperty(SEEDS, anyWeather, async (seed, weather) => {
        const scene = new Scene(seed);
        scene.weather = { ...weather, delayed: 0 };
        if (!(await succeeds(scene.open()))) return;
        for (let i = 1; i < 6; i++) {
          const isDone = await succeeds(scene.run(scene.client.run(`generate ${i}`)));
          const times = scene.device.done.filter((line) => line === `generate ${i}`).length;
          expect(times).toBeLessThan(2);
          expect([isDone, times]).not.toEqual([true, 0]);
        }
      }),
      parameters,
    );
  });
});
