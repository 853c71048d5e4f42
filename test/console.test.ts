import { STORED } from "../src/device/checkpoint-files";
import { MemoryStorage } from "./support/memory-storage";
import { ALL_LETTERS, finished, TestDevice, underWay } from "./support/test-device";
import { drawParameters } from "../src/gpt/model/parameters";
import { Random } from "../src/gpt/model/random";
import { largestDifference } from "./helpers";

/* What the console answers, and what it leaves as it was. */

const WORDS = ["venus", "mars", "titan", "io"];
test("status tells the step, and the loss once there is one", async () => {
  const device = await finished();
  expect(await device.answer(" status ")).toMatch(/^Step 20 of 20, loss \d\.\d{4}; idle\.\n$/);
  const other = await underWay();
  expect(await other.answer("status", 3)).toMatch(/Step \d+ of 5000, loss \d\.\d{4}; training\.\n/);
});

test("generate writes so many names that begin so, plain", async () => {
  const device = await finished();
  expect((await device.answer("generate")).trimEnd().split("\n")).toHaveLength(5);
  const names = (await device.answer("generate 12 1.5 em")).trimEnd().split("\n");
  expect(names).toHaveLength(12);
  for (const name of names) expect(name).toMatch(/^em[a-z]{0,13}$/);
});

test("a prefix is the rest of the line, with its spaces", async () => {
  const device = new TestDevice({}, new MemoryStorage(), { names: ["la mer", "le mont", "un roi"] });
  await device.live();
  for (const name of (await device.answer("generate 4 1 la m")).trimEnd().split("\n")) expect(name).toMatch(/^la m/);
});

test("stream writes names until a key is pressed", async () => {
  const device = await finished();
  const text = await device.answer("stream 0.9", 40);
  expect(text.split("\n").length).toBeGreaterThan(10);
  device.type("x");
  await device.live();
  device.take();
  await device.live();
  expect(device.take()).toBe("");
  device.type("\x7fstatus\n");
  await device.live();
  expect(device.take()).toMatch(/^Step 20/);
});

test("stop ends what runs, says so where nothing does, and what waits comes next", async () => {
  const device = await finished();
  expect(await device.answer("stop")).toBe("Nothing is running that stop could cancel.\n");
  await device.answer("generate 1000", 5);
  await device.answer("generate 2", 1);
  expect((await device.answer("stop")).split("\n").length).toBeLessThan(10);
  expect(await device.answer("generate 1")).toMatch(/^[a-z]*\n$/);
  const other = await underWay();
  expect(await other.answer("stop", 1)).toMatch(/^Nothing is running but the training: use pause for it\.\n/);
  other.type("eval\nstop\n");
  await other.live(4);
  expect(other.take()).toMatch(/^Stopped after \d of 9 names\.$/m);
  other.type("step 3000\n");
  await other.live(4);
  expect(await other.answer("stop", 4)).toMatch(/^Step \d+ of 5000, .*; paused\.\n$/m);
});

test("neither names nor measures change what training does", async () => {
  const undisturbed = await finished({ steps: 200 });
  const disturbed = new TestDevice({ steps: 200 }, new MemoryStorage(), ALL_LETTERS);
  for (const line of ["generate 3", "eval", "words", "status", "plan", "pause", "resume", "help", "save"])
    await disturbed.answer(line, 4);
  await disturbed.live();
  expect(disturbed.state).toBe(undisturbed.state);
});

test("pause rests, resume goes on", async () => {
  const device = await underWay({ steps: 300 });
  expect(await device.answer("pause")).toMatch(/^Paused: Step \d+ of 300/);
  const before = device.state;
  await device.live();
  expect(device.state).toBe(before);
  expect(await device.answer("status")).toMatch(/; paused\.\n$/);
  expect(await device.answer("resume")).toMatch(/=== Done ===\n$/);
  expect(await device.answer("resume")).toBe("The training is over: train N adds N steps.\n");
});

test("eval measures all names, those held out, or one's own words", async () => {
  const device = await finished();
  expect(await device.answer("eval")).toMatch(/^Mean loss: \d\.\d{4} over 9 names\n/);
  expect(await device.answer("eval words")).toBe("There are no words of your own: add TEXT.\n");
  for (const word of WORDS) device.type(`add ${word}\n`);
  await device.live();
  expect(await device.answer("eval words")).toMatch(/^Mean loss: \d\.\d{4} over 4 names\n/);
  const holding = await finished({ holdout: 50 });
  expect(await holding.answer("eval")).toMatch(/^Mean loss: \d\.\d{4} over [1-8] names\n/);
});

describe("words of one's own", () => {
  test("join, are listed, leave, and are there after power-off", async () => {
    const storage = new MemoryStorage();
    const device = await finished({}, storage);
    expect(await device.answer("add venus")).toBe('"venus" is one of your own words, the only one.\n');
    for (const word of WORDS.slice(1)) await device.answer(`add ${word}`);
    expect(await device.answer("words")).toBe(`${WORDS.join("\n")}\n`);
    expect(await device.answer("forget mars")).toBe('"mars" is forgotten.\n');
    expect(await device.answer("words")).toBe("venus\ntitan\nio\n");
    const again = await finished({}, storage);
    expect(await again.answer("words")).toBe("venus\ntitan\nio\n");
    expect(again.state).toBe(device.state);
  });

  test("are trained on with the stated share, and without any the stream is the published one", async () => {
    const device = await underWay();
    const { trainer } = device.device;
    await device.answer("pause");
    for (const word of WORDS) await device.answer(`add ${word}`);
    await device.answer("set own_share 0.25");
    let own = 0;
    for (let i = 0; i < 4000; i++) {
      trainer.step();
      if (trainer.documentIndex >= trainer.dataset.count) own++;
    }
    expect(own / 4000).toBeGreaterThan(0.22);
    expect(own / 4000).toBeLessThan(0.28);
    for (const word of WORDS) await device.answer(`forget ${word}`);
    const { state } = trainer;
    const random = trainer.random.copy();
    trainer.step();
    expect(trainer.documentIndex).toBe(random.index(trainer.dataset.count));
    expect(trainer.state.totalSteps).toBe(state.totalSteps + 1);
  });

  test.each([
    ["add venüs", /^"ü" in "venüs" is not in the model's vocabulary\.\n$/],
    ["add", /^A word has at least one character\.\n$/],
    ["add abcdefghijklmnop", /too long: block_size 16 takes 15 letters, and it has 16\.\n$/],
    ["add  venus", /^"venus" is one of your words already\.\n$/],
    ["forget pluto", /^"pluto" is not one of your words\.\n$/],
  ])("%s is answered with one line", async (line, message) => {
    const device = await finished();
    await device.answer("add venus");
    const before = device.state;
    expect(await device.answer(line)).toMatch(message);
    expect(device.state).toBe(before);
  });

  test("have room for so many", async () => {
    const device = await finished();
    let answer = "";
    for (let i = 0; answer === "" || answer.includes("is one of"); i++)
      answer = await device.answer(
        `add ${i
          .toString(8)
          .replace(/\d/g, (digit) => "aeioumnl"[Number(digit)])
          .padStart(15, "v")}`,
      );
    expect(answer).toMatch(/^There is no room for .*: 1536 bytes of words at most; forget some\.\n$/);
    expect((await device.answer("words")).trimEnd().split("\n")).toHaveLength(96);
    expect(await device.answer("eval words")).toMatch(/over 96 names/);
  });
});

describe("checkpoints", () => {
  test("save, load and reset", async () => {
    const device = await underWay();
    await device.answer("pause");
    expect(await device.answer("load")).toBe("There is no checkpoint yet: save makes one.\n");
    expect(await device.answer("save")).toMatch(/^Saved: Step \d+ of 5000/);
    const saved = device.state;
    device.device.trainer.step();
    expect(device.state).not.toBe(saved);
    expect(await device.answer("load")).toMatch(/^Loaded: Step \d+ of 5000/);
    expect(device.state).toBe(saved);
    expect(await device.answer("reset")).toBe("New weights: train starts; load undoes this until the next save.\n");
    expect(await device.answer("status")).toMatch(/^Step 0 of 5000; paused\.\n$/);
    const { model } = device.device.trainer;
    const fresh = model.parameters.slice();
    drawParameters(fresh, new Random(42), model.config, model.ops);
    expect(largestDifference(model.parameters, fresh)).toBe(0);
    expect(await device.answer("load")).toMatch(/^Loaded: /);
    expect(device.state).toBe(saved);
  });

  test("one that was damaged since is refused, and the state is as it was", async () => {
    const device = await finished();
    device.storage?.files.set(STORED, Uint8Array.of(1, 2, 3));
    const before = device.state;
    expect(await device.answer("load")).toMatch(/is not a sound safetensors file/);
    expect(device.state).toBe(before);
  });
});

test("a line that will not do is answered to a program in a line for programs", async () => {
  const device = await finished();
  await device.answer("set log json");
  device.type("é\xff\x1b[A\n");
  device.type(Uint8Array.of(0xff, 0x0a));
  device.type(`${"x".repeat(121)}\n`);
  expect(device.takeLines().map(({ type }) => type)).toEqual(["answer", "answer", "answer"]);
});

test("set lists and changes values", async () => {
  const device = await finished();
  expect(await device.answer("set")).toBe(
    "log text\nlog_every 5\nsave_every 30\ntemperature 0.8\ntop_k 0\ntop_p 1\nown_share 0.5\n",
  );
  expect(await device.answer("set log_every 7")).toBe("log_every 7\n");
  expect(await device.answer("train 15")).toMatch(/step {4}0\/15.*\nstep {4}7\/15.*\nstep {3}14\/15/);
});

test("names are drawn within top_k and top_p, by generate, stream, and after a training", async () => {
  const device = await finished();
  const written = async (...commands: string[]): Promise<number> => {
    for (const command of commands) await device.answer(command);
    return new Set((await device.answer("generate 20")).trimEnd().split("\n")).size;
  };
  expect(await written()).toBeGreaterThan(5);
  expect(await written("set top_k 1")).toBe(1);
  expect(await device.answer("train 10")).toMatch(/\(temperature=0\.8, top-k=1\) ---\n +1\. (.*)\n +2\. \1\n/);
  expect(await written("set top_k 0", "set top_p 0.001")).toBe(1);
  expect(await device.answer("set")).toContain("top_k 0\ntop_p 0.001\n");
  expect(await written("set top_p 1")).toBeGreaterThan(5);
});

test("what it is, what it takes, and what it can do", async () => {
  const device = await finished({ version: "1.2.3", codename: "goldcrest" });
  expect(await device.answer("version")).toBe('Version 1.2.3 "goldcrest" on Node.\n');
  expect(await device.answer("plan")).toMatch(/parameters +16768\n[^]*XS needs \d+ bytes/);
  expect(await device.answer("bench")).toBe("There is no command bench: help lists them.\n");
  expect(await device.answer("help")).toMatch(/status[^]*generate[^]*reboot/);
  expect(device.rebooted).toBe(false);
  await device.answer("reboot");
  expect(device.rebooted).toBe(true);
});

test.each([
  ["generate 0", /number of names.* from 1 to 1000, not 0/],
  ["generate 2.5", /whole number/],
  ["generate x", /must be a number, not "x"/],
  ["generate 1001", /1000/],
  ["generate 2 -1", /temperature/],
  ["generate 2 warm", /temperature must be a number, not "warm"/],
  ["generate 2 1 Em", /"E"/],
  ["generate 2 1 abcdefghijklmnopq", /at most 15/],
  ["generate 2 1 em more", /" " in "em more"/],
  ["stream 0.5 x", /^Too many arguments/],
  ["status now", /^status takes no arguments/],
  ["train 0", /number of steps/],
  ["train ten", /must be a number, not "ten"/],
  ["set speed 3", /^There is no setting speed: there are log, /],
  ["set log", /^log is text or json/],
  ["set log json 2", /protocol version 1, not 2/],
  ["set own_share 2", /own_share must be a number from 0 to 1/],
  ["set temperature", /temperature must be a number/],
  ["set top_k 1.5", /top_k must be a whole number from 0 to 1000000/],
  ["set top_p 2", /top_p must be a number from 0 to 1, not 2/],
  ["chunk 0 1", /^Nothing is being fetched/],
  ["data 0 AAAA", /^Nothing is being received/],
  ["receive 0", /size/],
  ["received", /^Nothing is being received/],
  ["frobnicate \u202e", /^There is no command frobnicate: help lists them/],
  ["__proto__", /^There is no command __proto__/],
])("%j is answered with one line", async (line, expected) => {
  const device = await finished();
  const before = device.state;
  const lines = (await device.answer(line)).trimEnd().split("\n");
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(expected);
  expect(device.state).toBe(before);
});
