import fc from "fast-check";
import { type ModelConfig, samplingLimits, type SamplingLimits } from "../src/gpt/model/config";
import { InputError } from "../src/gpt/base/errors";
import { forward } from "../src/gpt/model/forward";
import { Generator } from "../src/gpt/model/generate";
import type { Model } from "../src/gpt/model/model";
import type { Dtype } from "../src/gpt/model/ops";
import { Random } from "../src/gpt/model/random";
import { drawnModel, largestDifference, tokensOf, letterOf } from "./helpers";

/** Weights large enough for the model to have opinions. */
function bold(config: Partial<ModelConfig>, dtype: Dtype = "f64"): Model {
  const model = drawnModel(config, dtype);
  model.parameters.forEach((value, i) => (model.parameters[i] = 4 * value));
  return model;
}

const configs: [string, Partial<ModelConfig>][] = [
  ["esp32gpt", {}],
  ["two layers", { nLayer: 2, nEmbd: 8, nHead: 2 }],
  ["microgpt", { preset: "microgpt", nLayer: 2 }],
];

describe.each(configs)("%s", (_title, config) => {
  test.each<[Dtype, number]>([
    ["f64", 1e-12],
    ["f32", 1e-6],
  ])("in %s, position by position the logits are those of the whole prefix at once", (dtype, tolerance) => {
    const [cached, whole] = [bold(config, dtype), bold(config, dtype)];
    const tokens = tokensOf("wilhelminaolivi");
    for (let t = 0; t < 16; t++) forward(cached, tokens, t, t + 1);
    forward(whole, tokens, 0, 16);
    cached.logits.forEach((row, t) => expect(largestDifference(row, whole.logits[t])).toBeLessThanOrEqual(tolerance));
  });

  test("a later position changes no earlier one", () => {
    const [short, long] = [bold(config), bold(config)];
    forward(short, tokensOf("ann"), 0, 3);
    forward(long, tokensOf("annabel"), 0, 8);
    for (let t = 0; t < 3; t++) expect([...short.logits[t]]).toEqual([...long.logits[t]]);
  });

  test("names are drawn as if every prefix were computed afresh", () => {
    const model = bold(config);
    const generator = new Generator(model, new Random(3));
    const names = Array.from({ length: 8 }, () => generator.name(0.9, "an"));
    const [fresh, random] = [bold(config), new Random(3)];
    const longest = config.preset === "microgpt" ? 16 : 15;
    expect(names).toEqual(names.map(() => writeName(fresh, random, 0.9, "an", longest)));
  });
});

/** Generation by its definition: no cache. */
function writeName(model: Model, random: Random, temperature: number, prefix: string, longest: number): string {
  let name = prefix;
  while (name.length < longest) {
    forward(model, tokensOf(name), 0, name.length + 1);
    const weights = [...model.logits[name.length]].map((logit) => Math.exp(logit / temperature));
    const sum = weights.reduce((a, b) => a + b);
    const token = random.categorical(weights.map((weight) => weight / sum));
    if (token === 0) break;
    name += letterOf(token);
  }
  return name;
}

test("each letter costs one position: what is behind it is not computed again", () => {
  const model = drawnModel({ nLayer: 2 });
  const { ops } = model;
  const random = new Random(1);
  jest.spyOn(random, "categorical").mockReturnValue(1);
  const embedding = jest.spyOn(ops, "embeddingForward");
  const attention = jest.spyOn(ops, "attentionForward");
  new Generator(model, random).name(1, "elizabeth");
  const positions: [number, number][] = [[0, 10], ...[10, 11, 12, 13, 14].map((t): [number, number] => [t, t + 1])];
  expect(embedding.mock.calls.map(([, , , , from, to]) => [from, to])).toEqual(positions);
  expect(attention.mock.calls.map(([, , , , from, to]) => [from, to])).toEqual(positions.flatMap((p) => [p, p]));
});

test("every name begins with the prefix, and two generators with the same seed agree", () => {
  const letters = fc.array(fc.integer({ min: 1, max: 26 }).map(letterOf), { maxLength: 15 });
  fc.assert(
    fc.property(letters, fc.integer({ min: 1, max: 1e6 }), (prefix, seed) => {
      const start = prefix.join("");
      const [one, two] = [1, 2].map(() => new Generator(drawnModel(), new Random(seed)).name(0.8, start));
      expect(one.startsWith(start)).toBe(true);
      expect(one).toMatch(/^[a-z]{0,15}$/);
      expect(two).toBe(one);
    }),
    { numRuns: 30 },
  );
});

describe.each<[ModelConfig["preset"], number]>([
  ["esp32gpt", 15],
  ["microgpt", 16],
])("%s with block_size 16", (preset, longest) => {
  const generator = (token: number): Generator => {
    const random = new Random(1);
    jest.spyOn(random, "categorical").mockReturnValue(token);
    return new Generator(drawnModel({ preset }), random);
  };

  test(`a name that does not end has ${longest} letters`, () => {
    expect(generator(26).name(1)).toBe("z".repeat(longest));
    expect(generator(26).name(1, "ab")).toBe("ab" + "z".repeat(longest - 2));
  });

  test("BOS ends a name, which then may be its prefix alone", () => {
    expect(generator(0).name(1)).toBe("");
    expect(generator(0).name(1, "emma")).toBe("emma");
  });

  test(`a prefix may have ${longest} letters, not one more`, () => {
    expect(generator(26).name(1, "a".repeat(longest))).toBe("a".repeat(longest));
    const tooLong = (): string => generator(26).name(1, "a".repeat(longest + 1));
    expect(tooLong).toThrow(InputError);
    expect(tooLong).toThrow(new RegExp(`at most ${longest} letters`));
  });
});

test("the lower the temperature, the surer the likeliest letter", () => {
  const cold = Array.from({ length: 20 }, (_, i) => new Generator(bold({}), new Random(i + 1)).name(0.01));
  const warm = Array.from({ length: 20 }, (_, i) => new Generator(bold({}), new Random(i + 1)).name(1));
  expect(new Set(cold).size).toBe(1);
  expect(new Set(warm).size).toBeGreaterThan(10);
});

test.each(["Emma", "an na", "zoë", "x\n", "\x1b[2J", "😀", "7"])(
  "a prefix in other characters, %j, is refused",
  (prefix) => {
    const generator = new Generator(drawnModel(), new Random(1));
    expect(() => generator.name(1, prefix)).toThrow(InputError);
    expect(() => generator.name(1, prefix)).toThrow(/is not in the model's vocabulary/);
  },
);

describe("at temperature 0", () => {
  test("the likeliest letter is taken each time, and no random number drawn", () => {
    const random = new Random(5);
    const draw = jest.spyOn(random, "uint32");
    const names = [new Generator(bold({}), random).name(0), new Generator(bold({}), random).name(0, "an")];
    expect(draw).not.toHaveBeenCalled();
    const model = bold({});
    for (const name of names) {
      forward(model, tokensOf(name), 0, name.length + 1);
      for (let t = name === names[1] ? 2 : 0; t < Math.min(name.length + 1, 15); t++) {
        const row = [...model.logits[t]];
        expect(row.indexOf(Math.max(...row))).toBe(t < name.length ? tokensOf(name)[t + 1] : 0);
      }
    }
  });

  test("of equals it is the lowest token", () => {
    const model = drawnModel();
    const random = new Random(5);
    model.parameters.fill(0);
    expect(new Generator(model, random).name(0, "emma")).toBe("emma");
    // wout says 1 for b and for c, whatever comes in.
    model.parameters.fill(1, 0, 688);
    const wout = model.parameters.length - 16 * 27;
    for (let i = 0; i < 16; i++) model.parameters.fill(1, wout + i * 27 + 2, wout + i * 27 + 4);
    expect(new Generator(model, random).name(0)).toBe("b".repeat(15));
  });
});

test.each([NaN, Infinity, -Infinity])("a model with logits of %d writes no names", (value) => {
  for (const temperature of [0, 0.8]) {
    const model = drawnModel();
    const { ops } = model;
    const generator = new Generator(model, new Random(1));
    jest.spyOn(ops, "linearForward").mockImplementation((y) => void (y as Float64Array).fill(value, 5, 6));
    const write = (): string => generator.name(temperature);
    expect(write).toThrow(InputError);
    expect(write).toThrow(/numbers are not finite/);
  }
});

test.each([-1, NaN, Infinity, 1e-9])("the temperature %d is refused", (temperature) => {
  const generator = new Generator(drawnModel(), new Random(1));
  expect(() => generator.name(temperature)).toThrow(InputError);
  expect(() => generator.name(temperature)).toThrow(/^temperature/);
});

describe("top-k and top-p", () => {
  const model = bold({});
  const names = (limits: Partial<SamplingLimits>, temperature = 1, count = 40): string[] => {
    const generator = new Generator(model, new Random(5));
    return Array.from({ length: count }, () => generator.name(temperature, "", samplingLimits(limits)));
  };

  test("that are off, or take all tokens in, change no name", () => {
    const generator = new Generator(model, new Random(5));
    const free = Array.from({ length: 40 }, () => generator.name(1));
    expect(names({})).toEqual(free);
    expect(names({ topK: 0, topP: 1 })).toEqual(free);
    expect(names({ topK: 27 })).toHaveLength(40);
  });

  test("top-k 1 and top-p 0 always take the likeliest, but draw a number for each token", () => {
    const likeliest = names({}, 0)[0];
    expect(new Set(names({ topK: 1 }))).toEqual(new Set([likeliest]));
    expect(new Set(names({ topP: 0 }))).toEqual(new Set([likeliest]));
    const [limited, free] = [new Random(9), new Random(9)];
    const name = new Generator(model, limited).name(1, "", { topK: 1, topP: 1 });
    for (let i = 0; i <= name.length && i < 15; i++) free.uniform();
    expect(limited.word).toBe(free.word);
  });

  /** By definition, on the probabilities in single precision: sorted, cut, divided. */
  function limited(probabilities: Float32Array, { topK, topP }: SamplingLimits): Float32Array {
    let order = [...probabilities.keys()].sort((a, b) => probabilities[b] - probabilities[a] || a - b);
    if (topK > 0) order = order.slice(0, topK);
    const total = topK > 0 && topK < probabilities.length ? order.reduce((sum, i) => sum + probabilities[i], 0) : 1;
    const kept: number[] = [];
    let sum = 0;
    for (const i of order) {
      if (kept.length > 0 && sum >= topP * total) break;
      kept.push(i);
      sum += probabilities[i];
    }
    return probabilities.map((p, i) => (kept.includes(i) ? p / sum : 0));
  }

  test.each([
    [{ topK: 3, topP: 1 }, 1],
    [{ topK: 0, topP: 0.5 }, 1],
    [{ topK: 0, topP: 0.9 }, 2],
    [{ topK: 8, topP: 0.7 }, 1.5],
    [{ topK: 26, topP: 0.999 }, 0.5],
    [{ topK: 1000, topP: 0.3 }, 3],
  ])("%j at temperature %d draws as the definition says", (limits, temperature) => {
    const reference = bold({});
    const random = new Random(5);
    const written = Array.from({ length: 40 }, () => {
      let name = "";
      while (name.length < 15) {
        forward(reference, tokensOf(name), 0, name.length + 1);
        const logits = [...reference.logits[name.length]];
        const weights = logits.map((logit) => Math.exp((logit - Math.max(...logits)) / temperature));
        const sum = weights.reduce((a, b) => a + b);
        const probabilities = Float32Array.from(weights, (weight) => Math.fround(weight) / sum);
        const token = random.categorical(limited(probabilities, limits));
        if (token === 0) break;
        name += letterOf(token);
      }
      return name;
    });
    expect(names(limits, temperature)).toEqual(written);
  });

  test("of equals the lower tokens stay", () => {
    const flat = drawnModel({});
    flat.parameters.fill(0);
    const generator = new Generator(flat, new Random(3));
    const letters = (limits: SamplingLimits): string[] =>
      [...new Set(Array.from({ length: 60 }, () => generator.name(1, "", limits)).join(""))].sort();
    // Token 0 ends a name.
    expect(letters({ topK: 4, topP: 1 })).toEqual(["a", "b", "c"]);
    expect(letters({ topK: 0, topP: 4 / 27 - 1e-6 })).toEqual(["a", "b", "c"]);
    expect(letters({ topK: 6, topP: 0.5 })).toEqual(["a", "b"]);
  });

  test.each<[Partial<SamplingLimits>, RegExp]>([
    [{ topK: -1 }, /^top-k must be a whole number from 0 to/],
    [{ topK: 1.5 }, /^top-k/],
    [{ topK: NaN }, /^top-k/],
    [{ topP: -0.1 }, /^top-p must be a number from 0 to 1/],
    [{ topP: 1.1 }, /^top-p/],
    [{ topP: NaN }, /^top-p/],
  ])("%j is refused", (limits, message) => {
    expect(() => names(limits)).toThrow(message);
    expect(() => names(limits)).toThrow(InputError);
  });
});
