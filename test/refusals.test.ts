import { Checkpoint } from "../src/gpt/checkpoint/reader";
import { isAdmissible } from "../src/gpt/data/characters";
import { InputError } from "../src/gpt/base/errors";
import { Dataset } from "../src/gpt/data/dataset";
import { lowercaseVocabulary } from "../src/gpt/data/vocabulary";
import { limitsToTell } from "../src/gpt/model/config";
import { bindDataset } from "../src/gpt/training/document-length";
import { Holdout } from "../src/gpt/training/holdout";
import { datasetOf, drawnModel, utf8 } from "./helpers";
import { withMetadata } from "./support/altered-checkpoints";
import { saved, SMALL } from "./support/checkpoints";
import { MemoryStorage } from "./support/memory-storage";

/* What a dataset or a checkpoint is refused for: the numbers of the reason, not its words. */

/** The numbers of the error that something throws. */
function numbersOf(act: () => unknown): readonly number[] {
  try {
    act();
  } catch (error) {
    return Array.from(String(error).matchAll(/\d+(\.\d+)?(e-\d+)?/g), ([number]) => Number(number));
  }
  throw new Error("It was not refused.");
}

/** A name of three letters; there are 17,576 of them. */
function nameOf(i: number): string {
  return [i, i / 26, i / 676].map((digit) => String.fromCharCode(97 + (Math.floor(digit) % 26))).join("");
}

const namesFrom = (count: number): string[] => Array.from({ length: count }, (_, i) => nameOf(i));

describe("a holdout that leaves no name on one side", () => {
  const refused = (names: readonly string[], percent: number, most?: number): readonly number[] =>
    numbersOf(() => new Holdout(new Dataset(utf8(names.join("\n")), "list"), percent, most));

  test("counts the names, and the different ones if some are equal", () => {
    expect(refused(namesFrom(3), 1e-6)).toEqual([1e-6, 3]);
    expect(refused(["ann", "ann", "ann"], 50)).toEqual([50, 3, 1]);
    expect(refused(["ann", "bob", "ann"], 1e-6)).toEqual([1e-6, 3, 2]);
  });

  test("counts different names up to 2048, each once", () => {
    const names = namesFrom(2048);
    expect(refused([...names, ...names.toReversed()], 1e-6)).toEqual([1e-6, 4096, 2048]);
    const more = namesFrom(2049);
    expect(refused([...more, ...more], 1e-6)).toEqual([1e-6, 4098]);
  });

  test("counts those that fit if some are too long", () => {
    expect(refused(["ann", "bobby", "charlie"], 1e-6, 5)).toEqual([1e-6, 3, 2]);
  });
});

test("a list of which no name fits is told its shortest, and what that needs", () => {
  const model = drawnModel({ blockSize: 4 }, "f32");
  expect(numbersOf(() => bindDataset(model, datasetOf("abcdefg", "abcdef", "abcdefgh")))).toEqual([4, 3, 2, 6, 7]);
});

test("a character is admissible if it shows, ends no line and turns no direction", () => {
  const refused = [0, 0x1f, 0x7f, 0x80, 0x9f, 0x61c, 0x200e, 0x200f, 0x2028, 0x202e, 0x2066, 0x2069, 0xd800, 0xdfff];
  const taken = [
    0x20, 0x7e, 0xa0, 0x61b, 0x61d, 0x200d, 0x2010, 0x2027, 0x202f, 0x2065, 0x206a, 0xd7ff, 0xe000, 0x10ffff,
  ];
  expect(refused.filter(isAdmissible)).toEqual([]);
  expect(taken.filter((codePoint) => !isAdmissible(codePoint))).toEqual([]);
});

test("sampling limits are told where they limit anything", () => {
  expect(limitsToTell({ topK: 0, topP: 1 })).toEqual({});
  expect(limitsToTell({ topK: 5, topP: 1 })).toEqual({ topK: 5 });
  expect(limitsToTell({ topK: 0, topP: 0.9 })).toEqual({ topP: 0.9 });
});

test.each([{ n_head: "3" }, { n_embd: "3" }, { block_size: "1000000" }, { vocabulary: "aa" }, { vocabulary: "ab" }])(
  "a checkpoint that claims %j is refused before its weights are read",
  async (metadata) => {
    const sound = await saved(drawnModel(SMALL, "f32"), 5);
    const open = async (bytes: Uint8Array): Promise<unknown> => {
      const checkpoint = await Checkpoint.open(new MemoryStorage({ m: bytes }), "m");
      checkpoint.modelConfig({});
      return checkpoint.vocabulary(lowercaseVocabulary());
    };
    await expect(open(sound)).resolves.toBeDefined();
    await expect(open(withMetadata(sound, metadata))).rejects.toThrow(InputError);
  },
);
