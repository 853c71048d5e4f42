import { mkdirSync, writeFileSync } from "node:fs";
import { esp32gpt, temporaryFolder } from "./support/cli";
import { expectRefusal } from "./support/programs";

/* What is too long, empty, or something else than it should be, in every place of a command line. */

const at = temporaryFolder();

beforeAll(async () => {
  await esp32gpt("train", "--steps", "1", "--samples", "0", "--save", at("model"));
  await esp32gpt(..."train --steps 1 --samples 0 --block-size 2 --preset microgpt --save".split(" "), at("short"));
  writeFileSync(at("plain"), "ann\nbob\n");
  writeFileSync(at("long"), "averyverylongname\n");
});

const TRAIN = ["--data", "--init", "--resume", "--save", "--save-weights", "--jsonl"];

test.each([
  ...TRAIN.map((option) => ["train", "--steps", "1", option]),
  ["generate", "--model"],
  ["eval", "--model"],
  ["export", "model", "--output"],
  ["plan", "--data"],
  ["simulate", "--storage"],
  ["simulate", "--listen"],
  ["simulate", "--data"],
  ...["--log", "--fetch", "--send", "--port"].map((option) => ["monitor", option]),
  ["flash", at("plain"), "--port"],
])("%s %s: an empty word and one without end", async (...words) => {
  const option = words.at(-1) ?? "";
  expectRefusal(await esp32gpt(...words, ""), new RegExp(`^esp32gpt: ${option} must not be empty\\.\\n$`));
  expectRefusal(
    await esp32gpt(...words, "x".repeat(100_000)),
    new RegExp(`^esp32gpt: The value of ${option} is too long: at most 4095 bytes\\.\\n$`),
  );
});

describe.each(["node", "xs"])("on %s", (engine) => {
  const generate = (model: string, prefix: string): ReturnType<typeof esp32gpt> =>
    esp32gpt("generate", "--engine", engine, "--model", at(model), "--prefix", prefix);

  test.each([
    ["4096 letters", "a".repeat(4096)],
    ["100,000 letters", "a".repeat(100_000)],
    ["70,000 quotes, which JSON doubles", '"'.repeat(70_000)],
    ["characters of three bytes", "名".repeat(2000)],
  ])("a prefix of %s", async (_, prefix) =>
    expectRefusal(
      await generate("model", prefix),
      /^esp32gpt: The value of --prefix is too long: at most 4095 bytes\.\n$/,
    ),
  );

  test("a prefix that is too long for the model alone", async () => {
    for (const length of [16, 4095])
      expectRefusal(
        await generate("model", "a".repeat(length)),
        /^esp32gpt: The prefix "a+…?" is too long: names have at most 15 letters\.\n$/,
      );
    expectRefusal(
      await generate("short", "abcd"),
      /^esp32gpt: The prefix "abcd" is too long: names have at most 2 letters\.\n$/,
    );
  });

  test("paths as long as they can be, all of them", async () => {
    const folder = at(Array.from({ length: 15 }, () => "d".repeat(250)).join("/"));
    mkdirSync(folder, { recursive: true });
    const file = (name: string): string =>
      `${folder}/${name.repeat(4090 - Buffer.byteLength(folder) - 20).slice(-240)}`;
    writeFileSync(file("n"), "ann\nbob\n");
    const options = ["--data", file("n"), "--save", file("s"), "--save-weights", file("w"), "--jsonl", file("j")];
    const all = ["train", "--engine", engine, "--steps", "3", "--samples", "1", ...options];
    expect(await esp32gpt(...all)).toMatchObject({ code: 0, stderr: "" });
    const again = ["--data", file("n"), "--resume", file("s"), "--save", file("s")];
    expect(await esp32gpt("train", "--engine", engine, "--steps", "3", "--samples", "0", ...again)).toMatchObject({
      code: 0,
    });
  });

  test("settings of the simulator", async () => {
    const simulate = (...settings: string[]): ReturnType<typeof esp32gpt> =>
      esp32gpt("simulate", "--engine", engine, ...settings);
    expectRefusal(
      await simulate(`version=${"1".repeat(61)}`),
      /^esp32gpt: version must be text of at most 60 characters, not "?1+…?"?\.\n$/,
    );
    for (const name of ["version", "steps", "led", "x"])
      expectRefusal(
        await simulate(`${name}=${"0".repeat(100_000)}`),
        /^esp32gpt: The setting "?\w+=0+…"? is too long\.\n$/,
      );
  });
});

test("a folder that is something else, or within something else", async () => {
  expectRefusal(
    await esp32gpt("simulate", "--engine", "node", "--storage", at("plain")),
    /^esp32gpt: \S*plain is not a folder\.\n$/,
  );
  expectRefusal(
    await esp32gpt("simulate", "--engine", "node", "--storage", at("plain/inside")),
    /^esp32gpt: Cannot write \S*plain\/inside: a part of its path is not a folder\.\n$/,
  );
});

test("one letter is one", async () => {
  expectRefusal(
    await esp32gpt("train", "--steps", "1", "--block-size", "2", "--data", at("long")),
    /block_size 2, which takes 1 letter: /,
  );
});

test("what is wrong with a number of 100,000 digits is not cut off", async () => {
  expectRefusal(
    await esp32gpt("train", "--steps", "x".repeat(100_000)),
    /^error: option '--steps <n>' argument 'x+….* must be a whole number\.\n$/i,
  );
});
