import { checkTemperature, PRESETS } from "./config";
import { InputError } from "./errors";
import { forward } from "./forward";
import type { Model } from "./model";
import type { Random } from "./random";
import { BOS, encode, letterOf } from "./tokenizer";

/** Lets a model write names, one character at a time. */
export class Generator {
  private readonly tokens: Uint8Array;
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
   * more likely, higher more daring. Each character costs one position: the activations of those
   * before it stay in place.
   * @throws InputError for a prefix outside the vocabulary or too long, or a bad temperature
   */
  name(temperature: number, prefix = ""): string {
    checkTemperature(temperature);
    this.checkPrefix(prefix);
    const { model, tokens, longest } = this;
    tokens[0] = BOS;
    let length = encode(prefix, tokens, 1);
    let name = prefix;
    for (let from = 0; name.length < longest; from = length, length++) {
      forward(model, tokens, from, length);
      const token = this.sample(length - 1, temperature);
      if (token === BOS) break;
      name += letterOf(token);
      tokens[length] = token;
    }
    return name;
  }

  /** @throws InputError when no name can begin so */
  checkPrefix(prefix: string): void {
    if (prefix.length > this.longest)
      throw new InputError(`The prefix "${prefix}" is too long: names have at most ${this.longest} letters.`);
    encode(prefix, this.tokens, 1);
  }

  private sample(position: number, temperature: number): number {
    const logits = this.model.logits[position];
    const { probabilities } = this;
    let largest = -Infinity;
    for (let i = 0; i < logits.length; i++) if (logits[i] > largest) largest = logits[i];
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
