import { checkSamplingLimits, checkSetting, NO_LIMITS, PRESETS, samplingLimits, type SamplingLimits } from "./config";
import { countOf, InputError, printable } from "../base/errors";
import type { Task } from "../base/runner";
import { hasCache } from "./activations";
import { forward } from "./forward";
import type { InferenceModel } from "./model";
import type { Random } from "./random";
import { BOS, type Document } from "../data/vocabulary";

/** Maximum UTF-16 units of a letter in a prefix: four code points of two units each. */
const MAX_UNITS = 8;

/** Generates names with a model, one character at a time. */
export class Generator {
  /** The last name: BOS, if the vocabulary adds it, and its symbols; and the number of symbols. */
  readonly tokens: Uint8Array;
  letters = 0;
  /** What the last token was drawn from, within the limits; at temperature 0 it is not set. A view, valid until the next. */
  readonly probabilities: Float32Array;
  /** Tokens, the most likely first. */
  private readonly order: Uint8Array;
  private readonly longest: number;
  /** The last prefix as it was given, and rewritten in the characters of the vocabulary. */
  private given: Document = "";
  private prefix: Document = "";

  constructor(
    private readonly model: InferenceModel,
    private readonly random: Random,
  ) {
    const { preset, blockSize } = model.config;
    this.tokens = new Uint8Array(blockSize + 1);
    this.probabilities = new Float32Array(model.logits[0].length);
    this.order = new Uint8Array(this.probabilities.length);
    this.longest = blockSize - PRESETS[preset].generationMargin;
  }

  /**
   * Generates a name that begins with `prefix`, which may be in another form of Unicode than the vocabulary. Logits
   * are divided by `temperature` before the softmax: a lower one prefers likely tokens, and 0 always takes the most
   * likely (of equals, the lowest token) without drawing a random number. `limits` then restrict the tokens: first
   * top-k, then top-p among those that are left. Each character costs one position: the activations of those before
   * it stay in place.
   * @throws InputError for a prefix outside the vocabulary or too long, an invalid temperature or limit, or a model
   * whose logits are not finite
   */
  name(temperature: number, prefix: Document = "", limits = NO_LIMITS): string {
    checkSetting("temperature", temperature);
    checkSamplingLimits(limits);
    this.checkPrefix(prefix);
    const { model, tokens, longest } = this;
    const { vocabulary } = model;
    tokens[0] = BOS;
    const first = Number(vocabulary.addBos);
    let length = vocabulary.encode(this.prefix, tokens, first);
    let name = "";
    for (let i = first; i < length; i++) name = vocabulary.append(name, tokens[i]);
    const isCached = hasCache(model.ops.dtype);
    for (let from = 0; length <= longest; from = length, length++) {
      forward(model, tokens, isCached ? from : 0, length);
      const token = this.sample(length - 1, temperature, limits);
      if (token === BOS) break;
      name = vocabulary.append(name, token);
      tokens[length] = token;
    }
    this.letters = length - first;
    return name;
  }

  /** @throws InputError if no name can begin with it */
  checkPrefix(prefix: Document): void {
    const { model, longest } = this;
    const { vocabulary } = model;
    const isText = typeof prefix === "string" && !vocabulary.names;
    const isFarTooLong = isText && prefix.length > MAX_UNITS * longest;
    if (isText && !isFarTooLong && prefix !== this.given) {
      this.prefix = vocabulary.respell(prefix);
      this.given = prefix;
    }
    if (!isText) this.prefix = this.given = prefix;
    const symbols = isFarTooLong ? Infinity : vocabulary.tryEncode(this.prefix, this.tokens, 0);
    if (symbols > longest)
      throw new InputError(
        `The prefix ${typeof prefix === "string" ? `"${printable(prefix)}" ` : ""}is too long: names have at most ${countOf(longest, "letter")}.`,
      );
    if (symbols < 0) vocabulary.check(this.prefix);
    if (symbols === 0 && !vocabulary.addBos)
      throw new InputError("The vocabulary has no BOS to begin with: give a prefix.");
  }

  /**
   * Draws the token that follows a position, whose logits must be in place, as name() does for each letter. It does not
   * check the temperature and the limits, and allocates nothing.
   * @throws InputError for a model whose logits are not finite
   */
  sample(position: number, temperature: number, limits: SamplingLimits): number {
    const logits = this.model.logits[position];
    const unit = this.model.logitUnit;
    const { probabilities } = this;
    const { functions } = this.model.ops;
    let likeliest = 0;
    for (let i = 0; i < logits.length; i++) {
      const logit = logits[i];
      if (!(logit > -Infinity && logit < Infinity))
        throw new InputError(
          "The model's numbers are not finite, so it cannot write names: train it again, with a lower learning rate.",
        );
      if (logit > logits[likeliest]) likeliest = i;
    }
    if (temperature === 0) return likeliest;
    const largest = logits[likeliest];
    let sum = 0;
    for (let i = 0; i < logits.length; i++) {
      const e = functions.exp(((logits[i] - largest) * unit) / temperature);
      probabilities[i] = e;
      sum += e;
    }
    for (let i = 0; i < logits.length; i++) probabilities[i] /= sum;
    if (limits.topK === 0 && limits.topP === 1) return this.random.categorical(probabilities);
    this.restrict(limits);
    const token = this.random.categorical(probabilities);
    // By rounding, a draw may end at the last token although its probability is 0.
    return probabilities[token] > 0 ? token : likeliest;
  }

  /** Keeps the probabilities within the limits (of equals, those of the lower tokens) and makes their sum 1. */
  private restrict({ topK, topP }: SamplingLimits): void {
    const { probabilities, order } = this;
    const size = probabilities.length;
    const hasTopK = topK > 0 && topK < size;
    const most = hasTopK ? topK : size;
    let count = 0;
    let sum = 0;
    // Without top-k the sum is 1, and tokens beyond top-p need no sorting.
    while (count < most && (hasTopK || count === 0 || sum < topP)) {
      let highest = 0;
      for (let i = 0; i < size; i++) {
        const probability = probabilities[i];
        if (probability <= highest) continue;
        highest = probability;
        order[count] = i;
      }
      if (highest === 0) break;
      sum += highest;
      probabilities[order[count++]] = -highest; // marks it as taken
    }
    const wanted = hasTopK ? topP * sum : topP;
    let left = 0;
    let share = 0;
    while (left < count && (left === 0 || share < wanted)) share -= probabilities[order[left++]];
    for (let i = 0; i < size; i++) if (probabilities[i] > 0) probabilities[i] = 0;
    for (let j = 0; j < count; j++) probabilities[order[j]] = j < left ? -probabilities[order[j]] / share : 0;
  }
}

/** How a document is generated: see Generator.name(). */
export interface GenerateOptions extends Partial<SamplingLimits> {
  /** Where the draws come from: another document each time, as the stream advances. */
  readonly random: Random;
  /** What the document begins with; nothing by default. */
  readonly prefix?: Document;
  /** By default the preset's. */
  readonly temperature?: number;
}

/**
 * Generates a document. Allocates a Generator, 1 byte for each position and 5 for each token, and strings; to generate
 * many, keep a Generator.
 * @throws InputError as Generator.name() does
 */
export function generate(model: InferenceModel, options: GenerateOptions): string {
  const { random, prefix, temperature = PRESETS[model.config.preset].temperature } = options;
  return new Generator(model, random).name(temperature, prefix, samplingLimits(options));
}

/** Names to generate: see Generator.name(). */
export interface NamesToWrite extends SamplingLimits {
  readonly count: number;
  readonly temperature: number;
  /** What every name begins with. */
  readonly prefix?: string;
}

/** Generates names, one for each unit of work. */
export class GenerateTask implements Task {
  private written = 0;

  /** @param write called with each name and its number, from 1 */
  constructor(
    private readonly generator: Generator,
    private readonly names: NamesToWrite,
    private readonly write: (name: string, number: number) => void,
  ) {}

  /** @throws InputError as Generator.name() does */
  work(): boolean {
    const { names } = this;
    if (this.written < names.count)
      this.write(this.generator.name(names.temperature, names.prefix, names), ++this.written);
    return this.written < names.count;
  }
}
