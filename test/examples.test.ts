import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./helpers";
import { esp32gpt, temporaryFolder } from "./support/cli";
import { hostExecutable } from "./support/xs";

/* The apps of examples/ run on Node and in a simulated device, and say the same: they train in i32. */

const at = temporaryFolder();
const EXAMPLES = readdirSync(join(ROOT, "examples"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

/** What each says at its end. */
const ENDS: Readonly<Record<string, RegExp>> = {
  hello: /^(?:step \d+: loss \d\.\d\d\n){4}(?:[a-z]*\n){10}$/,
  "next-command":
    /after 2999 commands.*esp32gpt 2\.14 \(69 %\), frequency 6\.79 \(10 %\), bigram 2\.22 \(50 %\)\n.*\.\.\.\n.* %\n$/,
  rhythm:
    /^(?:window \d+: \d\.\d\d nats a symbol\n){13}window 1240: the bearing begins to wear\n(?:window 12\d\d: ALARM, .*\n)+\d+ alarms\n$/,
  button: /^\[ learning \] 27 words\n(?:\[ [a-z]+ \] (?:keep it\? press longer|kept: \d)\n)+$/,
};

// Building it writes a line.
beforeAll(() => hostExecutable("chip"), 600_000);

test.each(EXAMPLES)("%s says the same on Node and in a simulated device", async (example) => {
  const app = ["simulate", "--app", join(ROOT, "examples", example)];
  const onNode = await esp32gpt(...app, "--engine", "node");
  const onXs = await esp32gpt(...app, "--engine", "xs", "--chip", "esp32c3");
  expect([onNode.code, onNode.stderr, onXs.code, onXs.stderr]).toEqual([0, "", 0, ""]);
  expect(onXs.stdout).toBe(onNode.stdout);
  expect(onXs.stdout).toMatch(ENDS[example]);
});

describe("simulate --app", () => {
  const app = (name: string, text: string): string => {
    writeFileSync(at(name), text);
    return at(name);
  };

  test("tells with --stats what an app took", async () => {
    const { code, stderr } = await esp32gpt(
      "simulate",
      "--stats",
      "--engine",
      "xs",
      "--app",
      app("small.js", "export default () => undefined"),
    );
    expect(code).toBe(0);
    expect(JSON.parse(stderr)).toMatchObject({ type: "usage", heap: { slots: expect.any(Number) as number } });
  });

  test("gives an app storage, which stays in the folder of --storage", async () => {
    const text = `
      import { createTrainer, Dataset, loadCheckpoint, saveCheckpoint } from "esp32gpt";
      import { clock, openStorage, opsFor, print } from "esp32gpt/platform";
      export default async function main() {
        const trainer = createTrainer({ dataset: Dataset.of(["ada", "eve"]), ops: opsFor("i32"), training: { steps: 9 } });
        const file = { storage: await openStorage("kept"), name: "model", clock };
        print((await loadCheckpoint(trainer, file)) + " " + trainer.totalSteps);
        for (let i = 0; i < 3; i++) trainer.step();
        await saveCheckpoint(trainer, file);
      }`;
    for (const engine of ["node", "xs"]) {
      const options = ["--engine", engine, "--storage", at(`flash-${engine}`), "--app", app("storing.js", text)];
      const said = [await esp32gpt("simulate", ...options), await esp32gpt("simulate", ...options)];
      expect(said.map(({ code, stdout, stderr }) => [code, stdout, stderr])).toEqual([
        [0, "false 0\n", ""],
        [0, "true 3\n", ""],
      ]);
    }
  });

  test.each<[string, string, RegExp]>([
    [
      "timer.js",
      'import "timer"; export default () => 1',
      /timer\.js imports "timer", which a simulated device does not have: it has esp32gpt and/,
    ],
    ["syntax.js", "export default (", /The app cannot be bundled: .*syntax\.js/],
    ["none.js", "export const main = 1", /The app cannot be bundled: .*default/],
    ["lost.js", 'import "./nowhere.js"; export default () => 1', /The app cannot be bundled: .*nowhere/],
    [
      "large.js",
      'import { createTrainer, Dataset } from "esp32gpt"; export default () => createTrainer({ dataset: Dataset.of(["a"]), model: { nEmbd: 128 } })',
      /The heap is full/,
    ],
  ])("refuses %s in a sentence", async (name, text, message) => {
    const { code, stdout, stderr } = await esp32gpt("simulate", "--engine", "xs", "--app", app(name, text));
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });

  test("refuses what is no app, and settings beside one", async () => {
    const hello = ["simulate", "--engine", "node", "--app", join(ROOT, "examples/hello")];
    expect((await esp32gpt("simulate", "--app", at("nothing"))).stderr).toMatch(
      /There is no app .*nothing: an app is a folder with a main\.js or main\.ts/,
    );
    expect((await esp32gpt(...hello, "steps=3")).stderr).toMatch(/An app has no settings and no port/);
    expect((await esp32gpt(...hello, "--listen", "127.0.0.1:0")).code).toBe(2);
  });

  test("reports a mistake of an app with its place in it", async () => {
    const path = app("wrong.js", "export default function main() {\n  null.x;\n}");
    const { code, stderr } = await esp32gpt("simulate", "--engine", "xs", "--app", path);
    expect([code, stderr]).toEqual([70, expect.stringMatching(/TypeError[^]*wrong\.js:2/)]);
  });
});
