import { spawnSync } from "node:child_process";
import { esp32gpt, temporaryFolder } from "./support/cli";
import { expectRefusal } from "./support/programs";
import { SimulatedBoard, SMALL } from "./support/simulator";
import { skipUnless } from "./support/skipping";

/* Checkpoints that a Python program has made smaller: the metadata of the numbers before, or none. */

const CONVERTER = `
import json, struct, sys
source, target, kept, kind = sys.argv[1:]
data = open(source, "rb").read()
size = 8 + struct.unpack("<Q", data[:8])[0]
header = json.loads(data[8:size])
metadata = header.pop("__metadata__")
out, body = {}, b""
if kept == "kept":
    out["__metadata__"] = metadata
for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
    begin, end = (size + at for at in entry["data_offsets"])
    numbers = [number for (number,) in struct.iter_unpack("<f", data[begin:end])]
    if kind == "F16":
        piece = b"".join(struct.pack("<e", number) for number in numbers)
    else:
        piece = b"".join(struct.pack("<f", number)[2:] for number in numbers)
    out[name] = {"dtype": kind, "shape": entry["shape"], "data_offsets": [len(body), len(body) + len(piece)]}
    body += piece
text = json.dumps(out).encode()
text += b" " * (-len(text) % 8)
open(target, "wb").write(struct.pack("<Q", len(text)) + text + body)
`;

const hasPython = spawnSync("python3", ["-c", "import struct"]).status === 0;
const withPython = skipUnless(hasPython, "checkpoints converted by Python, which need python3");
const at = temporaryFolder();
const SHAPE = ["--preset", "microgpt", "--n-embd", "6", "--n-head", "2"];

function convert(source: string, target: string, kept: "kept" | "left", kind: string): void {
  const { status, stderr } = spawnSync("python3", ["-c", CONVERTER, source, target, kept, kind], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
}

withPython.describe.each(["F16", "BF16"])("to %s", (kind) => {
  const refusal = (name: string): RegExp =>
    new RegExp(
      `${name} cannot be used: its numbers were converted to ${kind}, .*: write it again without metadata, and ` +
        "load its weights with train --init FILE --preset microgpt --n-head 2\\.",
    );

  test("with its metadata it is refused with the way out, which works", async () => {
    const saved = await esp32gpt("train", ...SHAPE, "--steps", "3", "--samples", "0", "--save", at("m.st"));
    expect([saved.code, saved.stderr]).toEqual([0, ""]);
    convert(at("m.st"), at(`${kind}.st`), "kept", kind);
    const options = ["--steps", "1", "--samples", "0", "--seed", "1"];
    for (const command of [
      ["train", "--init"],
      ["train", "--resume"],
      ["generate", "--model"],
      ["eval", "--model"],
    ])
      expectRefusal(await esp32gpt(...command, at(`${kind}.st`)), refusal(`${kind}\\.st`));
    convert(at("m.st"), at(`${kind}-bare.st`), "left", kind);
    const from = async (file: string): Promise<string> =>
      (await esp32gpt("train", "--init", at(file), "--preset", "microgpt", "--n-head", "2", ...options)).stdout;
    const loss = /step {4}0\/1: loss = (\d+\.\d+)/;
    const [half, whole] = [loss.exec(await from(`${kind}-bare.st`))?.[1], loss.exec(await from("m.st"))?.[1]];
    expect(Math.abs(Number(half) - Number(whole))).toBeLessThan(0.02);
  }, 300_000);
});

withPython.test(
  "a board that is sent one names the file that was sent",
  async () => {
    const settings = SMALL.filter((setting) => !setting.startsWith("steps"));
    const board = await SimulatedBoard.start("--engine", "node", ...settings, "steps=5", "samples=0");
    try {
      const shape = ["--n-embd", "4", "--n-head", "1", "--steps", "3", "--samples", "0"];
      expect((await esp32gpt("train", ...shape, "--save", at("s.st"))).code).toBe(0);
      convert(at("s.st"), at("s16.st"), "kept", "F16");
      const monitor = (...options: string[]): ReturnType<typeof esp32gpt> =>
        esp32gpt("monitor", "--port", board.address, ...options);
      expectRefusal(await monitor("--send", at("s16.st")), /s16\.st cannot be used: its numbers were converted to F16/);
      // What only the board can see: it has another shape.
      expect((await esp32gpt("train", ...shape, "--n-embd", "8", "--save", at("other.st"))).code).toBe(0);
      const other = await monitor("--send", at("other.st"));
      expectRefusal(other, /other\.st holds a model with n_embd 8, not 4\./);
      expect(other.stderr).not.toMatch(/received|that was sent/);
    } finally {
      await board.stop();
    }
  },
  300_000,
);
