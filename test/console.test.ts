import { App, DEFAULT_APP } from "../src/app";
import { Console } from "../src/console";
import { Random } from "../src/random";
import { typescriptOps } from "../src/typescript-ops";
import { utf8 } from "./helpers";
import { MemoryPlatform } from "./support/memory-platform";

interface Device {
  platform: MemoryPlatform;
  app: App;
  /** What the device answers to a line, once all it has begun is done. */
  answer: (line: string) => string[];
}

function device(steps = 3): Device {
  const platform = new MemoryPlatform(utf8("emma\nolivia\nava\n"));
  const app = new App(platform, { ...DEFAULT_APP, training: { steps }, samples: 1 }, typescriptOps("f32"));
  const console = new Console(platform, app, new Random(7));
  const answer = (line: string): string[] => {
    const before = platform.log.length;
    console.receive(line);
    platform.runToEnd();
    return platform.log.slice(before).trimEnd().split("\n");
  };
  return { platform, app, answer };
}

test("status tells the step, and the loss once there is one", () => {
  const { platform, app, answer } = device();
  expect(answer("status")).toEqual(["Step 0 of 3."]);
  app.start();
  platform.runToEnd();
  expect(answer(" status ")).toEqual([expect.stringMatching(/^Step 3 of 3, loss \d\.\d{4}\.$/)]);
});

test("generate writes so many names that begin so", () => {
  const { answer } = device();
  expect(answer("generate")).toHaveLength(5);
  const names = answer("generate 12 1.5 em");
  expect(names).toHaveLength(12);
  for (const name of names) expect(name).toMatch(/^em[a-z]{0,13}$/);
});

test("generate draws from a stream of its own: the training goes on as it would have", () => {
  const undisturbed = device(20);
  undisturbed.app.start();
  undisturbed.platform.runToEnd();
  const disturbed = device(20);
  disturbed.answer("generate 3");
  disturbed.app.start();
  disturbed.platform.runToEnd();
  expect(disturbed.app.status()).toBe(undisturbed.app.status());
});

test.each([
  ["generate 0", /1 to 1000 names, not 0/],
  ["generate x", /1 to 1000 names, not x/],
  ["generate 2 0", /temperature/],
  ["generate 2 1 Em", /"E"/],
  ["generate 2 1 em more", /^Commands: /],
  ["status now", /^Commands: /],
  ["reboot", /^Commands: status; generate/],
  ["", /^Commands: /],
])("%j is answered with one line", (line, expected) => {
  const lines = device().answer(line);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(expected);
});
