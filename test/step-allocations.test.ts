import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "./helpers";

/*
 * A garbage collection stops the device for longer than a step takes. In this process Jest's own
 * machinery would drown what a step allocates, hence another one.
 */
test("a step of training allocates nothing, nor does a document that comes just now", () => {
  const flags = ["--no-opt", "--no-maglev", "--no-sparkplug", "--no-lazy-feedback-allocation", "--single-threaded"];
  const script = join("test", "support", "step-allocations.mjs");
  const output = execFileSync(process.execPath, [...flags, script], { cwd: ROOT, encoding: "utf8" });
  expect(JSON.parse(output)).toEqual({
    "esp32gpt, random": [],
    "esp32gpt, sequential": [],
    "microgpt, random": [],
    "microgpt, sequential": [],
    "learn, f32": [],
    "learn, f64": [],
    "learn, i32": [],
  });
});
