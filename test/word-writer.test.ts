// Writing letter by letter: what the page sets is what the Generator writes with the same random numbers.
import { NO_LIMITS } from "../src/gpt/model/config";
import { Generator } from "../src/gpt/model/generate";
import type { Model } from "../src/gpt/model/model";
import { Random, siblingSeed } from "../src/gpt/model/random";
import { drawLetter } from "../web/worker/draw";
import { type Drawer, type Sampling, WordWriter } from "../web/inside/word-writer";
import { drawnModel } from "./helpers";

/** A run whose worker is the model itself. */
const runOf = (model: Model): Drawer => ({
  seed: 42,
  ask: (_name, drawing) => Promise.resolve().then(() => drawLetter(model, drawing)),
});

const SAMPLING: Sampling = { prefix: "", temperature: 1, limits: NO_LIMITS };
const numbers = (): Random => new Random(siblingSeed(42));

async function until(isSo: () => boolean): Promise<void> {
  for (let i = 0; !isSo(); i++) {
    if (i > 2000) throw new Error("it does not come");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const textOf = (model: Model, tokens: readonly number[]): string =>
  tokens.map((token) => model.vocabulary.characterOf(token)).join("");

/** Lets the writer end its word. */
async function finish(writer: WordWriter): Promise<void> {
  while (!writer.isOver) {
    const { length } = writer.letters;
    writer.next();
    await until(() => writer.letters.length > length);
  }
}

test.each<Sampling>([
  SAMPLING,
  { ...SAMPLING, prefix: "ma", temperature: 0.5 },
  { ...SAMPLING, limits: { topK: 5, topP: 0.8 } },
])("word for word it is the Generator's stream: %j", async (sampling) => {
  const model = drawnModel({}, "f32");
  const writer = new WordWriter(runOf(model), () => undefined);
  writer.refresh(sampling);
  const generator = new Generator(model, numbers());
  for (let i = 0; i < 3; i++) {
    await finish(writer);
    const [word] = writer.words;
    expect(textOf(model, word)).toBe(generator.name(sampling.temperature, sampling.prefix, sampling.limits));
    writer.again();
    expect(writer.letters).toEqual([]);
  }
  writer.end();
});

test("another letter is chosen, and the word goes on from there with the next number", async () => {
  const model = drawnModel({}, "f32");
  const writer = new WordWriter(runOf(model), () => undefined);
  writer.refresh(SAMPLING);
  await until(() => writer.coming !== undefined);
  const first = writer.coming;
  const other = first?.draw.token === 26 ? 25 : 26;
  writer.choose(other);
  expect(writer.letters).toEqual([{ token: other, isChosen: true }]);
  await until(() => writer.coming !== first);
  const random = numbers();
  random.uniform();
  const number = random.uniform();
  expect(writer.coming?.number).toBe(number);
  const wanted = drawLetter(model, { ...SAMPLING, letters: [other], number });
  expect(writer.coming?.draw).toEqual(wanted);
  // A second choice before the answer is not taken for the next letter.
  writer.choose(1);
  writer.choose(2);
  expect(writer.letters.map(({ token }) => token)).toEqual([other, 1]);
  writer.end();
});

test("a warmer draw keeps the number, at 0 none is used up, and another beginning begins another word", async () => {
  const model = drawnModel({}, "f32");
  const writer = new WordWriter(runOf(model), () => undefined);
  const refresh = async (sampling: Sampling): Promise<void> => {
    writer.refresh(sampling);
    await until(() => writer.coming?.sampling === sampling);
  };
  await refresh(SAMPLING);
  const number = writer.coming?.number;
  await refresh({ ...SAMPLING, temperature: 2 });
  expect(writer.coming?.number).toBe(number);
  const cold = { ...SAMPLING, temperature: 0 };
  await refresh(cold);
  writer.next();
  await until(() => writer.coming?.letters.length === 1);
  expect(writer.coming?.number).toBe(number);
  await refresh({ ...cold, prefix: "x" });
  expect(writer.letters).toEqual([]);
  expect(writer.coming?.draw.prefix).toEqual([24]);
  writer.end();
});

test("a refusal is told, ends the playing, and goes with its cause", async () => {
  let changes = 0;
  const writer = new WordWriter(runOf(drawnModel({}, "f32")), () => void changes++);
  writer.refresh({ ...SAMPLING, limits: { topK: 0, topP: 2 } });
  writer.play(true);
  await until(() => writer.refusal !== "");
  expect(writer.refusal).toMatch(/^top-p/);
  expect(writer.isPlaying).toBe(false);
  writer.refresh(SAMPLING);
  await until(() => writer.coming !== undefined);
  expect(writer.refusal).toBe("");
  expect(changes).toBeGreaterThanOrEqual(3);
  writer.end();
});
