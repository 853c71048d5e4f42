import { writeFileSync } from "node:fs";
import { esp32gpt, type Outcome, temporaryFolder } from "./support/cli";
import { MemoryStorage } from "./support/memory-storage";
import { TestDevice } from "./support/test-device";

/* Prefixes and words in another form of Unicode than the list, everywhere; the table itself is in canonical.test.ts. */

const at = temporaryFolder();
const TIMEOUT_MS = 300_000;

const PLACES = [
  ["Node", ["--engine", "node"]],
  ["XS", ["--engine", "xs"]],
] as const;

describe.each([
  ["NFC", "NFD"],
  ["NFD", "NFC"],
] as const)("a list in %s", (form, other) => {
  const inForm = (text: string): string => text.normalize(form);
  const inOther = (text: string): string => text.normalize(other);
  const WORDS = ["José", "Zoë", "Đặng", "Nguyễn", "がっこう", "Ώρα", "각각"];

  test.each(PLACES)(
    "takes a prefix in %s on %s",
    async (place, options) => {
      const [list, model] = [at(`${form}-${place}`), at(`${form}-${place}-model`)];
      writeFileSync(list, inForm(WORDS.join("\n")));
      const shape = ["--block-size", "24", "--steps", "5", "--samples", "0", "--save", model];
      expect(await esp32gpt("train", ...options, "--data", list, ...shape)).toMatchObject({ code: 0, stderr: "" });
      const generate = (prefix: string): Promise<Outcome> =>
        esp32gpt("generate", ...options, "--data", list, "--model", model, "-n", "2", "--prefix", prefix);
      for (const word of WORDS) {
        const [same, converted] = [await generate(inForm(word)), await generate(inOther(word))];
        expect(converted).toEqual(same);
        expect(same).toMatchObject({ code: 0, stderr: "" });
        expect(same.stdout).toContain(`1. ${inForm(word)}`);
      }
    },
    TIMEOUT_MS,
  );

  test("a console takes a prefix, a word to add and one to forget", async () => {
    const names = ["zoé", "ẹ́kọ", "đặng", "がく"].map(inForm);
    const device = new TestDevice({}, new MemoryStorage(), { names });
    await device.live();
    expect(await device.answer(`add ${inOther("zoẹ́")}`)).toContain("is one of your own words");
    expect(await device.answer(`add ${inForm("zoẹ́")}`)).toContain("is one of your words already.");
    expect(await device.answer("words")).toBe(`${inForm("zoẹ́")}\n`);
    const answer = await device.answer(`generate 1 0 ${inOther("がé")}`);
    expect(answer.startsWith(inForm("がé"))).toBe(true);
    expect(await device.answer(`forget ${inOther("zoẹ́")}`)).toContain("is forgotten.");
    expect(await device.answer("words")).toBe("");
  });
});

test("what is unknown in every form is told as one sees it", async () => {
  const device = new TestDevice({}, new MemoryStorage(), { names: ["zoé"] });
  await device.live();
  expect(await device.answer("add zo\u0308")).toBe('"ö" in "zö" is not in the model\'s vocabulary.\n');
  expect(await device.answer("add z\u0308")).toBe('"\\u{308}" in "z̈" is not in the model\'s vocabulary.\n');
  expect(await device.answer("generate 1 0 zô")).toContain('"ô" in "zô"');
});
