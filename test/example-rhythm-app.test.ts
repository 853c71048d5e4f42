import { spawn } from "node:child_process";
import { join } from "node:path";
import { CREATION } from "../src/gpt/plan";
import { CHIPS } from "../src/places/chips";
import { NAMES_FILE, ROOT } from "./helpers";
import { type Outcome, outcomeOf, temporaryFolder } from "./support/cli";
import { bundle, hostExecutable } from "./support/xs";

/* examples/rhythm/main.ts as a program: on Node, and on XS as on a chip. */

const at = temporaryFolder();

/** Bundles the app with what it imports as "esp32gpt/platform". */
async function bundled(file: string, platform: string): Promise<string> {
  const names = { esp32gpt: join(ROOT, "src", "gpt", "index.ts"), "esp32gpt/platform": platform };
  await bundle(join(__dirname, "support", "rhythm-main.ts"), at(file), names);
  return at(file);
}

async function onNode(): Promise<Outcome> {
  const file = await bundled("node.mjs", join(ROOT, "examples", "rhythm", "platform.ts"));
  const program = `import(${JSON.stringify(file)}).then(({ default: start }) => start())`;
  return outcomeOf(spawn(process.execPath, ["--input-type=module", "-e", program]));
}

/** With the kernels in C, the modules preloaded, and the memory of an ESP32-C3; slots are larger than there. */
async function onXs(): Promise<Outcome> {
  const file = await bundled("xs.js", join(__dirname, "support", "xs-app-platform.ts"));
  const memory = CHIPS.find(({ name }) => name === "ESP32-C3")?.memory.total;
  const sizes = { ...CREATION, "heap-limit": memory };
  const options = Object.entries(sizes).flatMap(([name, size]) => [`--${name}`, String(size)]);
  return outcomeOf(spawn(await hostExecutable(), ["--preload", "--bundle", file, "--names", NAMES_FILE, ...options]));
}

test("it raises no alarm before the bearing wears, some behind that, and says the same in a C3's memory", async () => {
  const { code, stdout, stderr } = await onNode();
  expect([code, stderr]).toEqual([0, ""]);
  const lines = stdout.trimEnd().split("\n");
  const begin = lines.indexOf("window 320: the bearing begins to wear");
  const alarms = lines.flatMap((line, i) => (line.includes("ALARM") ? [i] : []));
  expect(begin).toBeGreaterThan(0);
  expect(alarms.length).toBeGreaterThan(5);
  expect(alarms[0]).toBeGreaterThan(begin);
  expect(lines.at(-1)).toBe(`${alarms.length} alarms`);
  expect(await onXs()).toEqual({ code: 0, stdout, stderr: "" });
}, 600_000);
