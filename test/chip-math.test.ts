import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "./helpers";
import { temporaryFolder } from "./support/cli";

const at = temporaryFolder();

interface Errors {
  readonly exponentials: number;
  readonly small: number;
  readonly updates: number;
  readonly ends: readonly number[];
}

test("the chip's exponential is right to the last bit or two, and Adam's step to 7e-7", () => {
  const source = join(__dirname, "support", "chip-math.c");
  const flags = ["-std=gnu99", "-O2", "-ffp-contract=off", `-I${join(ROOT, "src", "gpt", "native")}`];
  const compiler = process.env.CC ?? "cc";
  execFileSync("sh", ["-c", `${compiler} "$@"`, "sh", ...flags, source, "-lm", "-o", at("chip-math")]);
  const errors = JSON.parse(execFileSync(at("chip-math"), { encoding: "utf8" })) as Errors;
  expect(errors.exponentials).toBeLessThan(1e-7);
  // The step between numbers that are no longer normal.
  expect(errors.small).toBeLessThan(2 ** -149);
  expect(errors.updates).toBeLessThan(7e-7);
  const [one, none, nothing, unmoved] = errors.ends;
  expect([one, none, nothing]).toEqual([1, 0, 0]);
  expect(unmoved).toBe(Math.fround(0.1));
});
