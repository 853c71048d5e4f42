import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { esp32gpt, temporaryFolder } from "./support/cli";
import { headerOf } from "./support/safetensors-file";

const at = temporaryFolder();

beforeAll(async () => {
  mkdirSync(at("folder"), { recursive: true });
  writeFileSync(at("names"), "ann\nbob\n");
  writeFileSync(at("control"), "ann\nB\x07b\n");
  writeFileSync(at("single"), "ann\n");
  writeFileSync(at("empty"), "");
  writeFileSync(at("long"), "averyverylongname\n");
  writeFileSync(at("text"), "this is no model");
  await esp32gpt("train", "--steps", "2", "--samples", "0", "--save", at("model"));
  const model = readFileSync(at("model"));
  writeFileSync(at("cut"), model.subarray(0, model.length - 1));
  model[headerOf(model).start + 5] ^= 4;
  writeFileSync(at("altered"), model);
});

async function expectRefusal(options: string[], message: RegExp): Promise<void> {
  const { code, stdout, stderr } = await esp32gpt(...options);
  expect(stderr).toMatch(/^[^\n]+\n$/);
  expect(stderr).toMatch(message);
  expect([code, stdout]).toEqual([2, ""]);
}

test.each<[string, RegExp]>([
  ["--steps 0", /steps must be a whole number from 1/],
  ["--steps -5", /steps/],
  ["--steps ten", /--steps.*whole number/],
  ["--steps 1.5", /--steps.*whole number/],
  ["--steps 1e3", /--steps.*whole number/],
  ["--steps 99999999999999999999", /steps must be/],
  ["--steps", /--steps.*missing/],
  ["--seed 0", /seed must be a whole number from 1/],
  ["--seed -1", /seed/],
  ["--seed 4294967296", /seed/],
  ["--seed 0x10", /--seed/],
  ["--learning-rate fast", /--learning-rate.*number/],
  ["--learning-rate NaN", /--learning-rate.*number/],
  ["--learning-rate -1", /learning-rate/],
  ["--learning-rate Infinity", /learning-rate/],
  ["--holdout 100", /holdout/],
  ["--holdout -1", /holdout/],
  ["--temperature -1", /temperature/],
  ["--temperature hot", /temperature/],
  ["--samples -1", /samples/],
  ["--log-every 0", /log-every/],
  ["--n-embd 15", /n_embd \(15\) must be a multiple of n_head \(4\)/],
  ["--n-head 0", /n_head/],
  ["--n-layer 0", /n_layer/],
  ["--block-size 1", /block_size/],
  ["--block-size 2 --data DIR/long", /long has no name that fits block_size 2.*line 1/],
  ["--preset gpt5", /preset.*gpt5.*esp32gpt, microgpt/],
  ["--engine quickjs", /engine.*quickjs/],
  ["--dtype f16", /dtype.*f16/],
  ["--sampling backwards", /sampling.*backwards/],
  ["--frobnicate", /unknown option '--frobnicate'/],
  ["surplus", /too many arguments/],
  ["--data DIR/missing", /missing.*no such file/],
  ["--data DIR/folder", /folder.*is a folder/],
  ["--data DIR/names/inside", /inside.*not a folder/],
  ["--data DIR/control", /control, line 2: U\+0007/],
  ["--data DIR/empty", /empty has no names/],
  ["--data DIR/single --holdout 1", /holdout of 1 %/],
  ["--init DIR/missing", /missing/],
  ["--init DIR/text", /text is not a sound safetensors file/],
  ["--init DIR/model --n-embd 32", /n_?embd 16, not 32/i],
  ["--save DIR/nowhere/model", /Cannot write .*no such file or folder/],
  ["--save DIR/names/model", /Cannot write .*not a folder/],
  ["--jsonl DIR/nowhere/records", /Cannot write .*no such file or folder/],
  ["--jsonl DIR/folder", /Cannot write .*is a folder/],
])("train %s", (options, message) =>
  expectRefusal(["train", ...options.replaceAll("DIR", at(".")).split(" ")], message),
);

test.each<[string, RegExp]>([
  ["generate", /--model/],
  ["generate --model DIR/missing", /missing: there is no such file/],
  ["generate --model DIR/folder", /is a folder/],
  ["generate --model DIR/empty", /not a sound safetensors file/],
  ["generate --model DIR/text", /not a sound safetensors file/],
  ["generate --model DIR/cut", /not a sound safetensors file/],
  ["generate --model DIR/altered", /altered|not finite/],
  ["generate --model DIR/model -n 0", /n must be/],
  ["generate --model DIR/model -n two", /whole number/],
  ["generate --model DIR/model --temperature 0.001", /temperature/],
  ["generate --model DIR/model --seed 0", /seed/],
  ["generate --model DIR/model --prefix Ann", /"A" in "Ann"/],
  ["generate --model DIR/model --prefix averyverylongname", /at most 15 letters/],
  ["generate --model DIR/model --n-layer 2", /n_?layer 1, not 2/i],
  ["generate --model DIR/model --data DIR/control", /control, line 2/],
  ["eval", /--model/],
  ["eval --model DIR/missing", /missing: there is no such file/],
  ["eval --model DIR/altered", /altered|not finite/],
  ["eval --model DIR/model --data DIR/missing", /missing/],
  ["eval --model DIR/model --data DIR/long", /no name that fits/],
  ["frobnicate", /unknown command 'frobnicate'/],
])("%s", (command, message) => expectRefusal(command.replaceAll("DIR", at(".")).split(" "), message));

test("what is refused leaves no file behind", async () => {
  await expectRefusal(["train", "--seed", "0", "--save", at("refused")], /seed/);
  expect(() => readFileSync(at("refused"))).toThrow(/ENOENT/);
});
