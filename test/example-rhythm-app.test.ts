import { spawn } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "./helpers";
import { outcomeOf, temporaryFolder } from "./support/cli";
import { bundle, hostExecutable, runOnHost } from "./support/xs";

/* examples/rhythm/main.ts as a program: on Node, and on XS with the kernels in C that a chip has. */

const at = temporaryFolder();
const MAIN = join(__dirname, "support", "rhythm-main.ts");
const LIBRARY = { esp32gpt: join(ROOT, "src", "gpt", "index.ts") };

test("it raises no alarm before the bearing wears, some behind that, and says the same on XS", async () => {
  await bundle(MAIN, at("node.mjs"), {
    ...LIBRARY,
    "esp32gpt/platform": join(ROOT, "examples", "rhythm", "platform.ts"),
  });
  const { code, stdout, stderr } = await outcomeOf(spawn(process.execPath, [at("node.mjs")]));
  expect([code, stderr]).toEqual([0, ""]);
  const lines = stdout.trimEnd().split("\n");
  const begin = lines.indexOf("window 320: the bearing begins to wear");
  const alarms = lines.flatMap((line, i) => (line.includes("ALARM") ? [i] : []));
  expect(begin).toBeGreaterThan(0);
  expect(alarms.length).toBeGreaterThan(5);
  expect(alarms[0]).toBeGreaterThan(begin);
  expect(lines.at(-1)).toBe(`${alarms.length} alarms`);

  await bundle(MAIN, at("xs.js"), {
    ...LIBRARY,
    "esp32gpt/platform": join(__dirname, "support", "xs-app-platform.ts"),
  });
  expect(await runOnHost(await hostExecutable(), at("xs.js"))).toEqual({ code: 0, stdout, stderr: "" });
}, 600_000);
