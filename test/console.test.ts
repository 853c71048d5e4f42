import { Console } from "../src/program/console";
import { DEFAULT_TRAIN_JOB, prepareTraining, train } from "../src/program/job";
import { Random } from "../src/model/random";
import { utf8 } from "./helpers";
import { MemoryPlatform } from "./support/memory-platform";

interface Device {
  platform: MemoryPlatform;
  console: Console;
  lines: string[];
  /** Trains to the end. */
  train: () => Promise<void>;
  /** What the device answers to a line, once all it has begun is done. */
  answer: (line: string) => Promise<string[]>;
}

async function device(steps = 3, tick = 0): Promise<Device> {
  const platform = new MemoryPlatform(utf8("emma\nolivia\nava\n"), undefined, tick);
  const job = { ...DEFAULT_TRAIN_JOB, training: { steps }, samples: 1 };
  const prepared = await prepareTraining(job, platform);
  if (!prepared) throw new Error("It was stopped.");
  const lines: string[] = [];
  const say = (line: string): void => void lines.push(line);
  const console = new Console(prepared.trainer, prepared.temperature, new Random(7), platform.runner, say);
  return {
    platform,
    console,
    lines,
    train: async () => void (await platform.settle(train(prepared, platform))),
    async answer(line) {
      lines.length = 0;
      console.receive(line);
      await platform.runToEnd();
      return [...lines];
    },
  };
}

test("status tells the step, and the loss once there is one", async () => {
  const { train, answer } = await device();
  expect(await answer("status")).toEqual(["Step 0 of 3."]);
  await train();
  expect(await answer(" status ")).toEqual([expect.stringMatching(/^Step 3 of 3, loss \d\.\d{4}\.$/)]);
});

test("generate writes so many names that begin so", async () => {
  const { answer } = await device();
  expect(await answer("generate")).toHaveLength(5);
  const names = await answer("generate 12 1.5 em");
  expect(names).toHaveLength(12);
  for (const name of names) expect(name).toMatch(/^em[a-z]{0,13}$/);
});

test("generate draws from a stream of its own: the training goes on as it would have", async () => {
  const undisturbed = await device(20);
  await undisturbed.train();
  const disturbed = await device(20);
  await disturbed.answer("generate 3");
  await disturbed.train();
  expect(await disturbed.answer("status")).toEqual(await undisturbed.answer("status"));
});

test("names are written while the training goes on, also when a step takes a slice", async () => {
  const { platform, console, lines, train } = await device(40, 60);
  const training = train();
  console.receive("generate 3");
  await training;
  expect(lines).toHaveLength(3);
  const { type } = platform.events[platform.events.length - 1];
  expect(type).toBe("name");
});

test("a second generate waits for nobody: it is refused, and the first goes on as it was asked for", async () => {
  const { platform, console, lines } = await device();
  console.receive("generate 4 0.5 em");
  console.receive("generate 4 2 o");
  await platform.runToEnd();
  expect(lines[0]).toMatch(/still being written/);
  expect(lines.slice(1)).toHaveLength(4);
  for (const name of lines.slice(1)) expect(name).toMatch(/^em/);
  console.receive("generate 1 2 o");
  await platform.runToEnd();
  expect(lines.at(-1)).toMatch(/^o/);
});

test.each([
  ["generate 0", /from 1 to 1000, not 0/],
  ["generate x", /must be a number, not x/],
  ["generate 1e3000", /must be a number/],
  ["generate 2 -1", /temperature/],
  ["generate 2 warm", /temperature must be a number, not warm/],
  ["generate 2 1 Em", /"E"/],
  ["generate 2 1 abcdefghijklmnopq", /at most 15/],
  ["generate 2 1 em more", /^Commands: /],
  ["status now", /^Commands: /],
  ["reboot", /^Commands: status; generate/],
  ["", /^Commands: /],
])("%j is answered with one line", async (line, expected) => {
  const lines = await (await device()).answer(line);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(expected);
});
