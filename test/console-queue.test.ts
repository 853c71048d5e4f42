import { STORED } from "../src/device/checkpoint-files";
import { MAX_WAITING_COMMANDS, tagCommand, type DeviceLine } from "../src/protocol/lines";
import { MemoryStorage } from "./support/memory-storage";
import { ALL_LETTERS, finished, TestDevice, underWay } from "./support/test-device";

/* Commands that come while others run: what waits, in which order, what is refused, and what never waits. */

/** What a device says to lines that are typed at once. */
function paste(device: TestDevice, lines: readonly string[], turns = Infinity): Promise<string> {
  return device.answer(lines.join("\n"), turns);
}

const count = (text: string, pattern: RegExp): number => [...text.matchAll(pattern)].length;

describe("commands that are pasted", () => {
  test("are carried out one after the other", async () => {
    const device = await underWay();
    const text = await paste(device, ["add venus", "save", "save", "save", "save", "load"], 120);
    expect(text.replace(/^step .*\n/gm, "")).toMatch(
      /^"venus" is one of .*\n(Saved: Step .*\n){4}Loaded: Step .*, 1 word of your own; training\.\n$/,
    );
  });

  test("behind train N wait until it is done, those that are typed later do not", async () => {
    const device = await finished();
    for (const word of ["venus", "titan"]) await device.answer(`add ${word}`);
    expect(await paste(device, ["train 300", "eval words", "generate 3"])).toMatch(
      /^Training for 300 steps[^]*=== Done ===\nMean loss: \d\.\d{4} over 2 names\nstep +300 {2}of 300\n[^]*\ntokens .*\n(?:[a-z]*\n){3}$/,
    );
    device.type("train 3000\n");
    await device.live(30);
    device.take();
    expect(await paste(device, ["eval words", "generate 1"], 6)).toMatch(/Mean loss[^]*\nstep +\d{1,3} {2}of 3000\n/);
    expect(await device.answer("status", 1)).toMatch(/training\.\n/);
  });

  test("behind a training that is paused go on", async () => {
    const device = await finished();
    const text = await paste(device, ["train 3000", "eval", "train 10"], 5);
    expect(text).toMatch(/^Training for 3000[^]*/);
    expect(text).not.toMatch(/Mean/);
    expect(await device.answer("pause")).toMatch(
      /^Paused: [^]*Mean loss[^]*\nstep +\d+ {2}of 3000\n[^]*Training for 10 /,
    );
  });

  test("may pause what they have just begun", async () => {
    const device = await finished();
    expect(await paste(device, ["train 3000", "pause"])).toBe(
      "Training for 3000 steps...\nPaused: Step 0 of 3000, 20 in all, loss 2.4471; paused.\n".replace(
        "2.4471",
        device.device.trainer.lastLoss?.toFixed(4) ?? "",
      ),
    );
  });

  test("are told to be wrong, which does not keep the others", async () => {
    const device = await finished();
    const lines = ["eval", "generate 0", "dance", "add venus", "forget mars", "words"];
    expect(await paste(device, lines)).toMatch(
      /^Mean loss[^]*\nThe number of names .*\nThere is no command dance.*\n"venus" is one of .*\n"mars" is not one of your words\.\nvenus\n$/,
    );
  });
});

describe("of commands that come while one runs", () => {
  const LINES = ["eval", "add venus", "add mars", "save", "generate 2", "words", "eval words", "forget venus", "load"];

  test("eight wait, the next is refused by its name, and nothing that was typed behind it is carried out", async () => {
    expect(LINES).toHaveLength(1 + MAX_WAITING_COMMANDS);
    const [device, other] = [await finished(), await finished()];
    const text = await paste(device, [...LINES, "reset", "set temperature 2", "help"]);
    expect(text.split("\n").slice(0, 3)).toEqual([
      "reset: 8 commands wait already.",
      "set temperature 2: left out, as a command before it was.",
      "help: left out, as a command before it was.",
    ]);
    expect(text.split("\n").slice(3).join("\n")).toBe(await paste(other, LINES));
    expect(device.state).toBe(other.state);
    expect(device.device.settings.value("temperature")).toBe(0.8);
    expect(await device.answer("version")).toMatch(/^Version/);
  });

  test("stop, status and pause wait for nothing, also behind one that was refused", async () => {
    const device = await underWay();
    const text = await paste(device, ["eval", ...LINES, "status", "reset", "pause", "status", "stop"], 2);
    expect(text).toMatch(
      /^load: 8 commands wait already\.\nStep \d+ of 5000, .*; training\.\nreset: left out.*\nPaused: .*\nStep .*; paused\.\n/,
    );
    expect(text + (await device.answer("", 100))).toMatch(
      /^Stopped after \d of 9 names\.\n[^]*Mean loss[^]*^"venus" is forgotten\.$/m,
    );
    expect(device.device.state).toBe("paused");
  });

  test("those of programs are refused one by one", async () => {
    const device = await finished();
    await device.answer("set log json");
    const lines = ["eval", ...Array.from({ length: MAX_WAITING_COMMANDS + 2 }, (_, i) => `add ${"abcdefghij"[i]}`)];
    for (const [i, line] of lines.entries()) device.type(`${tagCommand(i + 1, line)}\n`);
    device.type(`${tagCommand(26, "status")}\n${tagCommand(12, "add k")}\n`);
    await device.live();
    const acks = device.takeLines().filter(({ type }) => type === "ack");
    const of = (isOk: boolean): unknown[] => acks.filter(({ ok }) => ok === isOk).map(({ id }) => id);
    expect(of(false)).toEqual([10, 11, 12]);
    expect(acks.find(({ ok }) => !ok)?.error).toBe("add i: 8 commands wait already.");
    expect(of(true)).toEqual([26, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(device.device.trainer.dataset.own?.text).toBe("a\nb\nc\nd\ne\nf\ng\nh\n");
  });
});

describe("what replaces the weights waits for what reads them", () => {
  test.each(["load", "reset", "train 5", "step 3"])("%s for eval and generate", async (change) => {
    const device = await finished({ steps: 40 });
    await device.answer("pause");
    const evaluated = await device.answer("eval");
    const text = await paste(device, ["eval", change]);
    expect(text.startsWith(evaluated)).toBe(true);
    expect(text.length).toBeGreaterThan(evaluated.length);
    const other = await finished({ steps: 40 });
    await other.answer("eval");
    const names = await other.answer("generate 30");
    const device2 = await finished({ steps: 40 });
    await device2.answer("eval");
    expect((await paste(device2, ["generate 30", change])).startsWith(names)).toBe(true);
  });

  test("eval of the stored model behind load, and of what was there before it", async () => {
    const device = await finished({ steps: 20 });
    const trained = await device.answer("eval");
    await device.answer("reset");
    const fresh = await device.answer("eval");
    expect(fresh).not.toBe(trained);
    expect(await paste(device, ["eval", "load", "eval"])).toMatch(
      new RegExp(`^${escaped(fresh)}Loaded: .*\n${escaped(trained)}$`),
    );
  });

  test("a received checkpoint as well, and a stream is ended by it", async () => {
    const other = new MemoryStorage();
    await finished({ seed: 9 }, other);
    const device = await finished();
    const before = await device.answer("eval");
    const bytes = other.file(STORED);
    await device.answer(`receive ${bytes.length}`);
    for (let at = 0; at < bytes.length; at += 60)
      device.type(`data ${at} ${Buffer.from(bytes.subarray(at, at + 60)).toString("base64")}\n`);
    expect(await paste(device, ["eval", "received", "stream", "load"])).toMatch(
      new RegExp(`^${escaped(before)}Loaded: Step 20 of 20; idle\\.\n$`),
    );
    expect(await device.answer("eval")).not.toBe(before);
  });

  test("also when the power comes back: what is typed then is of the stored model", async () => {
    const device = await finished();
    const expected = await device.answer("eval");
    const again = new TestDevice({}, device.storage?.reboot(), ALL_LETTERS);
    again.type("eval\n");
    await again.live();
    expect(again.take().endsWith(expected)).toBe(true);
  });
});

describe("an eval while it trains", () => {
  test.each([1, 8])("is of one moment and changes nothing, %d names a step", async (batch) => {
    const settings = { batch_size: batch, steps: 120, save_every: 0.5, holdout: 20 };
    const undisturbed = await finished(settings);
    const device = new TestDevice(settings, new MemoryStorage(), ALL_LETTERS);
    await device.live(3);
    let steps = 0;
    for (let i = 0; i < 9; i++) {
      let text = await device.answer("eval", 3 + i);
      while (!text.includes("tokens")) {
        await device.live(1);
        text += device.take();
      }
      const step = Number(/^step +(\d+) {2}of 120$/m.exec(text)?.[1]);
      expect(step).toBeGreaterThanOrEqual(steps);
      steps = step;
    }
    expect(steps).toBeLessThan(120);
    await device.live();
    expect(device.state).toBe(undisturbed.state);
    expect(device.storage?.file(STORED)).toEqual(undisturbed.storage?.file(STORED));
  });

  test("gives the number of a model that stands still at that step", async () => {
    const device = await underWay({ batch_size: 3 });
    await device.answer("set log json", 1);
    device.takeLines();
    device.type("eval\n");
    await device.live(6);
    const evaluated = device.takeLines().find(({ type }) => type === "evaluated");
    const other = new TestDevice({ steps: 5000, save_every: 0, batch_size: 3 }, new MemoryStorage(), ALL_LETTERS);
    await other.live(1);
    await other.answer("pause");
    await other.answer(`step ${Number(evaluated?.step) - other.device.trainer.stepsDone}`);
    await other.answer("set log json");
    other.type("eval\n");
    await other.live();
    const expected = other.takeLines().find(({ type }) => type === "evaluated");
    expect(expected).toBeDefined();
    expect({ ...evaluated, n: 0, crc: "" }).toEqual({ ...expected, n: 0, crc: "" });
  });

  test("is not counted as training", async () => {
    const milliseconds = async (line: string): Promise<number> => {
      const names = Array.from({ length: 300 }, (_, i) => i.toString(2).replaceAll("0", "a").replaceAll("1", "b"));
      const device = new TestDevice({ steps: 200 }, new MemoryStorage(), { names });
      await device.live(3);
      device.type(`set log json\n${line}`);
      await device.live();
      return Number(/"type":"trained".*"milliseconds":(\d+)/.exec(device.take())?.[1]);
    };
    const [alone, beside] = [await milliseconds(""), await milliseconds("eval\neval\n")];
    // Twice three hundred names, of which each takes half as long as a step.
    expect(alone).toBeGreaterThan(1500);
    expect(Math.abs(beside - alone)).toBeLessThan(0.1 * alone);
  });
});

describe("a tagged command that waits", () => {
  test("is not carried out again when it comes again, and meanwhile the device says something", async () => {
    const device = new TestDevice({ steps: 10 }, new MemoryStorage(), {
      names: Array.from({ length: 900 }, (_, i) => i.toString(2).replaceAll("0", "a").replaceAll("1", "b")),
    });
    await device.live();
    await device.answer("set log json");
    device.takeLines();
    const [evaluation, add] = [tagCommand(1, "eval"), tagCommand(2, "add abba")];
    device.type(`${evaluation}\n${add}\n`);
    const lines: DeviceLine[] = [];
    let silent = 0;
    while (!lines.some(({ type, id }) => type === "ack" && id === 2)) {
      const begin = device.device.context.platform.now();
      device.type(`${evaluation}\n${add}\n`);
      await device.live(1);
      const said = device.takeLines();
      lines.push(...said);
      silent = said.length > 0 ? 0 : silent + device.device.context.platform.now() - begin;
      expect(silent).toBeLessThan(1500);
    }
    await device.live();
    lines.push(...device.takeLines());
    expect(count(lines.map(({ type }) => type).join(" "), /evaluated/g)).toBe(1);
    expect(lines.filter(({ type, ok }) => type === "ack" && ok === false)).toEqual([]);
    expect(lines.filter(({ type }) => type === "state").length).toBeGreaterThan(5);
    device.type(`${add}\n`);
    expect(device.takeLines()).toMatchObject([{ type: "ack", id: 2, ok: true }]);
  });

  test("does not keep a program from coming and going", async () => {
    const device = await finished();
    device.type(`generate 1000\n${tagCommand(3, "set log json")}\n`);
    expect(device.take()).toMatch(/"type":"hello"[^]*"type":"ack","id":3,"ok":true/);
    device.type(`${tagCommand(4, "set log text")}\n`);
    expect(device.device.log.isJson).toBe(false);
  });
});

test("a version of the protocol that it does not speak: it says so, and goes on in text", async () => {
  const sentence = "This device supports protocol version 1, not 2.\n";
  const device = await finished();
  expect(await device.answer("set log json 2")).toBe(sentence);
  await device.answer("set log json");
  expect(await device.answer("set log json 2")).toBe(sentence);
  await device.answer("set log json");
  device.type(`${tagCommand(9, "set log json 2")}\n`);
  const [ack, ...rest] = device.take().split(/(?<=\n)/);
  expect(JSON.parse(ack)).toMatchObject({ type: "ack", id: 9, ok: false });
  expect(rest.join("")).toBe(sentence);
  expect(await device.answer("version")).toMatch(/^Version/);
});

test("a single word of one's own is one word", async () => {
  const storage = new MemoryStorage();
  const device = await finished({}, storage);
  await device.answer("add venus");
  expect(await device.answer("status")).toMatch(/, 1 word of your own; idle/);
  expect(await device.answer("eval words")).toMatch(/over 1 name\n/);
  const again = new TestDevice({}, storage, ALL_LETTERS);
  await again.live();
  expect(again.take()).toMatch(/^With 1 word of your own\.$/m);
});

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}
