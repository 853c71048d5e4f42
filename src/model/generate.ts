import { checkTemperature, PRESETS } from "../config";
import { InputError, printable } from "../errors";
import { forward } from "./forward";
import type { Model } from "./model";
import type { Random } from "./random";
import { BOS } from "../data/vocabulary";

/** Lets a model write names, one character at a time. */
export class Generator {
  /** Of the last name: BOS and its characters, and how many these are. */
  readonly tokens: Uint8Array;
  letters = 0;
  private readonly probabilities: Float32Array;
  private readonly longest: number;

  constructor(
    private readonly model: Model,
    private readonly random: Random,
  ) {
    const { preset, blockSize } = model.config;
    this.tokens = new Uint8Array(blockSize + 1);
    this.probabilities = new Float32Array(model.logits[0].length);
    this.longest = blockSize - PRESETS[preset].generationMargin;
  }

  /**
   * A name that begins with `prefix`. Logits are divided by `temperature` before the softmax: lower is
   * more likely, higher more daring, and 0 always the likeliest, without drawing a random number (of equals
   * the lowest token). Each character costs one position: the activations of those
   * before it stay in place.
   * @throws InputError for a prefix outside the vocabulary or too long, a bad temperature, or a model whose
   * numbers are not finite
   */
  name(temperature: number, prefix = ""): string {
    checkTemperature(temperature);
    this.checkPrefix(prefix);
    const { model, tokens, longest } = this;
    tokens[0] = BOS;
    let length = model.vocabulary.encode(prefix, tokens, 1);
    let name = prefix;
    for (let from = 0; length <= longest; from = length, length++) {
      forward(model, tokens, from, length);
      const token = this.sample(length - 1, temperature);
      if (token === BOS) break;
      name += model.vocabulary.characterOf(token);
      tokens[length] = token;
    }
    this.letters = length - 1;
    return name;
  }

  /** @throws InputError when no name can begin so */
  checkPrefix(prefix: string): void {
    if (Array.from(prefix).length > this.longest)
      throw new InputError(
        `The prefix "${printable(prefix)}" is too long: names have at most ${this.longest} letters.`,
      );
    this.model.vocabulary.encode(prefix, this.tokens, 1);
  }

  private sample(position: number, temperature: number): number {
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
    return this.random.categorical(probabilities);
  }
}
