import { readFileSync } from "node:fs";
import { join } from "node:path";
import { esp32gpt, temporaryFolder } from "./support/cli";

/*
 * Checkpoints that earlier versions have written, a file a format: they load for ever, and say the same.
 * data/format-1.safetensors is of the commit 0d69cce: train --steps 30 --samples 0 --n-embd 8 --n-head 2
 * --block-size 12 --save FILE. format-4.safetensors has --moments bf16.
 */

const at = temporaryFolder();
const FILES = [1, 2, 3, 4].map((format) => [format, join(__dirname, "data", `format-${format}.safetensors`)] as const);
const NAMES = "   1. \n   2. oauwhvnrert\n   3. qdkbb\n";

test.each(FILES)("format %i writes the names that it wrote then", async (_format, file) => {
  expect(await esp32gpt("generate", "--model", file, "-n", "3")).toEqual({ code: 0, stdout: NAMES, stderr: "" });
});

test.each(FILES)("format %i has the loss that it had then", async (_format, file) => {
  const { stdout } = await esp32gpt("eval", "--model", file);
  expect(stdout.split("\n")[0]).toBe("Mean loss: 3.0761 over 32189 names (68 too long, passed over)");
});

test("a training goes on from format 3 where it left off", async () => {
  const [, file] = FILES[2];
  const { code, stdout } = await esp32gpt("train", "--resume", file, "--samples", "2");
  expect([code, stdout.split("\n").slice(3)]).toEqual([
    0,
    ["--- Generated names (temperature=0.8) ---", "   1. tfasnrxmbak", "   2. lsxzh", "=== Done ===", ""],
  ]);
});

test("a training goes on from format 4 with its moments in words", async () => {
  const [, file] = FILES[3];
  const saved = at("resumed");
  const { code, stdout } = await esp32gpt(
    "train",
    "--resume",
    file,
    "--steps",
    "40",
    "--samples",
    "0",
    "--save",
    saved,
  );
  expect([code, stdout.split("\n").slice(-3)]).toEqual([0, ["step   39/40: loss = 2.7573", "=== Done ===", ""]]);
  expect(readFileSync(saved).includes('"moments":"bf16"')).toBe(true);
});

test.each(FILES)("training goes on from format %i, and saves the newest", async (_format, file) => {
  const saved = at("saved");
  const { code } = await esp32gpt("train", "--init", file, "--steps", "2", "--samples", "0", "--save", saved);
  expect(code).toBe(0);
  expect(readFileSync(saved).includes('"format_version":"3"')).toBe(true);
});
