import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./helpers";
import { outcomeOf, temporaryFolder } from "./support/cli";
import { hostExecutable, IS_MODDABLE, startHost } from "./support/xs";

/* Whose XS it is: that of @agoric/xsnap, or in npm run test:moddable that of the Moddable SDK. */

const at = temporaryFolder();
const TIMEOUT_MS = 600_000;

function train(environment: Record<string, string>): [number | null, string] {
  const words = [join("bin", "esp32gpt.js"), "train", "--engine", "xs", "--steps", "1", "--samples", "0"];
  const env = { ...process.env, ...environment };
  const { status, stderr } = spawnSync(process.execPath, words, { cwd: ROOT, env, encoding: "utf8" });
  return [status, stderr];
}

test.each([
  [{ ESP32GPT_XS: "moddable", MODDABLE: "" }, "esp32gpt: ESP32GPT_XS is moddable, but MODDABLE is not set."],
  [
    { ESP32GPT_XS: "moddable", MODDABLE: "/nowhere" },
    "esp32gpt: MODDABLE is /nowhere, which has no XS sources (xs/sources).",
  ],
  [{ ESP32GPT_XS: "kinoma" }, "esp32gpt: ESP32GPT_XS is kinoma; it can be xsnap or moddable."],
])("%j is refused with a sentence", (environment, sentence) => {
  expect(train(environment)).toEqual([2, `${sentence}\n`]);
});

test(
  "MODDABLE alone changes nothing",
  async () => {
    const usual = await hostExecutable();
    if (!IS_MODDABLE) expect(train({ MODDABLE: "/nowhere" })).toEqual([0, ""]);
    expect(await hostExecutable()).toBe(usual);
  },
  TIMEOUT_MS,
);

test(
  "a preloaded regular expression, on which the SDK's XS panics on a chip, is refused there",
  async () => {
    writeFileSync(
      at("words.js"),
      "const word = /^[a-z]+$/;\nexport default () => host.write(`${word.test('emma')}\\n`);\n",
    );
    const { code, stdout, stderr } = await outcomeOf(
      startHost(await hostExecutable(), at("words.js"), { options: ["--preload"] }),
    );
    expect([code, stdout, stderr]).toEqual(
      IS_MODDABLE
        ? [70, "", "A regular expression is preloaded: XS of the Moddable SDK panics on it.\n"]
        : [0, "true\n", ""],
    );
  },
  TIMEOUT_MS,
);
