import { checkSamplingLimits, checkSetting, NO_LIMITS, PRESETS, type SamplingLimits } from "./config";
import { countOf, InputError, printable } from "../base/errors";
import type { Task } from "../base/runner";
import { forward } from "./forward";
import type { Model } from "./model";
import type { Random } from "./random";
import { BOS } from "../data/vocabulary";

/** Units of a string that a letter may take: at most four characters, of two units each. */
const MAX_UNITS = 8;

/** Lets a model write names, one character at a time. */
export class Generator {
  /** Of the last name: BOS and its characters, and how many these are. */
  readonly tokens: Uint8Array;
  letters = 0;
  private readonly probabilities: Float32Array;
  /** Tokens, the likeliest first. */
  private readonly order: Uint8Array;
  private readonly longest: number;
  /** The last prefix as it was given, and in the characters of the vocabulary. */
  private given = "";
  private prefix = "";

  constructor(
    private readonly model: Model,
    private readonly random: Random,
  ) {
    const { preset, blockSize } = model.config;
    this.tokens = new Uint8Array(blockSize + 1);
    this.probabilities = new Float32Array(model.logits[0].length);
    this.order = new Uint8Array(this.probabilities.length);
    this.longest = blockSize - PRESETS[preset].generationMargin;
  }

  /**
   * A name that begins with `prefix`, which may be in another form of Unicode than the vocabulary. Logits are
   * divided by `temperature` before the softmax: lower is more likely, higher more daring, and 0 always the
   * likeliest, without drawing a random number (of equals the lowest token). `limits` then say which tokens are drawn
   * from: first top-k, then top-p among what that has left. Each character costs one position: the activations of
   * those before it stay in place.
   * @throws InputError for a prefix outside the vocabulary or too long, a bad temperature or limits, or a model whose
   * numbers are not finite
   */
  name(temperature: number, prefix = "", limits = NO_LIMITS): string {
    checkSetting("temperature", temperature);
    checkSamplingLimits(limits);
    this.checkPrefix(prefix);
    const { model, tokens, longest } = this;
    tokens[0] = BOS;
    let name = this.prefix;
    let length = model.vocabulary.encode(name, tokens, 1);
    for (let from = 0; length <= longest; from = length, length++) {
      forward(model, tokens, from, length);
      const token = this.sample(length - 1, temperature, limits);
      if (token === BOS) break;
      name += model.vocabulary.characterOf(token);
      tokens[length] = token;
    }
    this.letters = length - 1;
    return name;
  }

  /** @throws InputError when no name can begin so */
  checkPrefix(prefix: string): void {
    const { vocabulary } = this.model;
    const isFarTooLong = prefix.length > MAX_UNITS * this.longest;
    if (prefix !== this.given && !isFarTooLong) {
      this.prefix = vocabulary.respell(prefix);
      this.given = prefix;
    }
    if (isFarTooLong || Array.from(this.prefix).length > this.longest)
      throw new InputError(
        `The prefix "${printable(prefix)}" is too long: names have at most ${countOf(this.longest, "letter")}.`,
      );
    vocabulary.encode(this.prefix, this.tokens, 1);
  }

  private sample(position: number, temperature: number, limits: SamplingLimits): number {
    const logits = this.model.logits[position];
    const { probabilities } = this;
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
      const e = Math.exp((logits[i] - largest) / temperature);
      probabilities[i] = e;
      sum += e;
    }
    for (let i = 0; i < logits.length; i++) probabilities[i] /= sum;
    if (limits.topK === 0 && limits.topP === 1) return this.random.categorical(probabilities);
    this.restrict(limits);
    const token = this.random.categorical(probabilities);
    // Rounding may leave the last token what nothing has taken.
    return probabilities[token] > 0 ? token : likeliest;
  }

  /** Leaves the probabilities that are within the limits, of equals those of the lower tokens, and makes their sum 1. */
  private restrict({ topK, topP }: SamplingLimits): void {
    const { probabilities, order } = this;
    const size = probabilities.length;
    const hasTopK = topK > 0 && topK < size;
    const most = hasTopK ? topK : size;
    let count = 0;
    let sum = 0;
    // Without top-k the sum is 1, and nothing beyond top-p need be put in order.
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
      probabilities[order[count++]] = -highest; // it is taken
    }
    const wanted = hasTopK ? topP * sum : topP;
    let left = 0;
    let share = 0;
    while (left < count && (left === 0 || share < wanted)) share -= probabilities[order[left++]];
    for (let i = 0; i < size; i++) if (probabilities[i] > 0) probabilities[i] = 0;
    for (let j = 0; j < count; j++) probabilities[order[j]] = j < left ? -probabilities[order[j]] / share : 0;
  }
}

/** Names that are to be written: see Generator.name(). */
export interface NamesToWrite extends SamplingLimits {
  readonly count: number;
  readonly temperature: number;
  /** How every name begins. */
  readonly prefix?: string;
}

/** Writes names, one a bit. */
export class GenerateTask implements Task {
  private written = 0;

  /** @param write called with each name and its number, from 1 */
  constructor(
    private readonly generator: Generator,
    private readonly names: NamesToWrite,
    private readonly write: (name: string, number: number) => void,
  ) {}

  /** @throws InputError for a temperature, prefix or limits that will not do */
  work(): boolean {
    const { names } = this;
    if (this.written < names.count)
      this.write(this.generator.name(names.temperature, names.prefix, names), ++this.written);
    return this.written < names.count;
  }
}
