import { chmodSync, existsSync, lstatSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import {
  f32InferenceOps,
  generate,
  i32InferenceOps,
  type InferenceOps,
  modelFromFlash,
  planInference,
  Random,
} from "../src/gpt/inference";
import { esp32gpt, makeLink, makePipe, newFolder, outcomeOf, start, temporaryFolder } from "./support/cli";
import { expectRefusal } from "./support/programs";

/* esp32gpt export, as a user runs it. */

const at = temporaryFolder();
const OPS: Readonly<Record<string, InferenceOps>> = { f32: f32InferenceOps, i32: i32InferenceOps };

beforeAll(async () => {
  writeFileSync(at("names"), "ann\nbob\nzoé\nanna\nbobby\n");
  for (const dtype of ["f32", "f64", "i32"]) {
    const options = ["--data", at("names"), "--steps", "30", "--samples", "0", "--dtype", dtype];
    await esp32gpt("train", ...options, "--save", at(dtype), "--save-weights", at(`${dtype}-weights`));
  }
  writeFileSync(at("text"), "this is no model");
  const altered = readFileSync(at("f32"));
  altered[altered.length - 2] ^= 1;
  writeFileSync(at("altered"), altered);
  makePipe(at("pipe"));
  makeLink("circle", at("circle"));
});

/** What the command line generates with a checkpoint. */
async function generated(file: string): Promise<readonly string[]> {
  const { stdout } = await esp32gpt("generate", "--model", file, "-n", "5", "--seed", "3", "--plain");
  return stdout.trimEnd().split("\n");
}

/** What the model of a resource generates. */
function ofResource(file: string, dtype: string): readonly string[] {
  const model = modelFromFlash(new Uint8Array(readFileSync(file)), OPS[dtype]);
  const random = new Random(3);
  return Array.from({ length: 5 }, () => generate(model, { random }));
}

test.each([
  ["f32", [], "f32"],
  ["i32", [], "i32"],
  ["i32-weights", [], "i32"],
] as const)("a checkpoint in %s with %j becomes a resource that generates its names", async (file, options, dtype) => {
  const target = at(`${file}.bin`);
  const { code, stdout, stderr } = await esp32gpt("export", at(file), "--output", target, ...options);
  expect([code, stderr]).toEqual([0, ""]);
  expect(ofResource(target, dtype)).toEqual(await generated(at(file)));
  const { config, vocabulary } = modelFromFlash(new Uint8Array(readFileSync(target)), OPS[dtype]);
  const { flash, bufferBytes } = planInference(config, dtype, vocabulary);
  expect(stdout).toBe(
    `${target}: ${flash.toLocaleString("en-US")} bytes for flash, with weights in ${dtype}. ` +
      `Using it takes ${bufferBytes.toLocaleString("en-US")} bytes of RAM for buffers.\n`,
  );
  expect(statSync(target).size).toBe(flash);
});

test("other arithmetic is converted to: f64 to f32 unless it is named, and i32 with a remark", async () => {
  expect(await esp32gpt("export", at("f64"), "--output", at("from64"))).toMatchObject({ code: 0, stderr: "" });
  expect(ofResource(at("from64"), "f32")).toHaveLength(5);
  const { code, stderr } = await esp32gpt("export", at("f32"), "--output", at("to32"), "--dtype", "i32");
  expect([code, stderr]).toEqual([0, expect.stringMatching(/holds f32 weights, which are converted to i32\.\n$/)]);
  expect(ofResource(at("to32"), "i32")).toHaveLength(5);
});

test("it reads a pipe, and replaces a file through a link with its mode", async () => {
  writeFileSync(at("old"), "old", { mode: 0o640 });
  chmodSync(at("old"), 0o640);
  makeLink(at("old"), at("link"));
  const child = start("export", "/dev/stdin", "--output", at("link"));
  child.stdin.end(readFileSync(at("f32")));
  expect((await outcomeOf(child)).code).toBe(0);
  expect(lstatSync(at("link")).isSymbolicLink()).toBe(true);
  expect(statSync(at("old")).mode & 0o777).toBe(0o640);
  expect(ofResource(at("old"), "f32")).toEqual(await generated(at("f32")));
});

test.each([
  ["f32", "PIPE", /Cannot save to .*pipe: it is not a regular file/],
  ["f32", "/dev/null", /Cannot save to \/dev\/null: it is not a regular file/],
  ["f32", "CIRCLE", /circle/],
  ["f32", "FOLDER", /it is a folder/],
  ["f32", "FOLDER/none/model.bin", /Cannot write .*: there is no such file or folder/],
  ["f32", "F32", /the checkpoint and --output are the same file/],
  ["text", "NEW", /text is not a sound safetensors file/],
  ["altered", "NEW", /altered cannot be used: its checksum is/],
  ["missing", "NEW", /Cannot read .*missing: there is no such file or folder/],
  ["f32", "", /--output must not be empty/],
  ["f32", "NEW --dtype f64", /--dtype.*f64.*f32, i32/],
  ["f32", "NEW --n-embd 8", /holds a model with n_embd 16, not 8/],
])("%s to %s is refused, and nothing is written", async (file, target, message) => {
  const folder = newFolder(at("folder"));
  const before = readFileSync(at("f32"));
  const [path, ...options] = target
    .replace(/PIPE|CIRCLE|F32/, (word) => at(word.toLowerCase()))
    .replace("FOLDER", folder)
    .replace("NEW", `${folder}/new`)
    .split(" ");
  expectRefusal(await esp32gpt("export", at(file), "--output", path, ...options), message);
  expect(readdirSync(folder)).toEqual([]);
  expect(readFileSync(at("f32")).equals(before)).toBe(true);
});

test("without a target it says so", async () => {
  expectRefusal(await esp32gpt("export", at("f32")), /required option '--output <file>'/);
  expect(existsSync(at("undefined"))).toBe(false);
});

test("plan --inference prints the plan, as a table or as JSON", async () => {
  const options = ["plan", "--inference", "--n-embd", "64", "--dtype", "i32"];
  const { stdout } = await esp32gpt(...options);
  const json = JSON.parse((await esp32gpt(...options, "--json")).stdout) as ReturnType<typeof planInference>;
  const wanted = planInference(
    { preset: "esp32gpt", nLayer: 1, nEmbd: 64, nHead: 4, blockSize: 16, vocabularySize: 27 },
    "i32",
  );
  expect(json).toMatchObject(wanted);
  expect(stdout).toMatch(new RegExp(`flash: .* ${wanted.flash.toLocaleString("en-US")}\n`));
  expect(stdout).toMatch(new RegExp(`RAM in all.* ${wanted.bufferBytes.toLocaleString("en-US")}\n$`));
  expectRefusal(await esp32gpt("plan", "--inference", "--dtype", "f64"), /--inference needs --dtype f32 or i32/);
});
