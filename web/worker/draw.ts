import { checkSamplingLimits, checkSetting, PRESETS } from "../../src/gpt/model/config";
import { hasCache } from "../../src/gpt/model/activations";
import { forward } from "../../src/gpt/model/forward";
import { Generator } from "../../src/gpt/model/generate";
import type { Model } from "../../src/gpt/model/model";
import { Random } from "../../src/gpt/model/random";
import { BOS } from "../../src/gpt/data/vocabulary";
import type { Draw, Drawing } from "./questions";

/** Stands in for the stream of random numbers. */
class OneNumber extends Random {
  constructor(private readonly number: number) {
    super(1);
  }

  override uniform(): number {
    return this.number;
  }
}

/**
 * Draws one letter as Generator.name() does; call it between training steps. Positions are computed one by one behind
 * the prefix, so that the probabilities are the same to the last bit.
 * @throws InputError as Generator.name() does
 */
export function drawLetter(model: Model, { prefix, letters, temperature, limits, number }: Drawing): Draw {
  checkSetting("temperature", temperature);
  checkSamplingLimits(limits);
  const { vocabulary, config, ops } = model;
  const generator = new Generator(model, new OneNumber(number));
  generator.checkPrefix(prefix);
  const { tokens, probabilities } = generator;
  tokens[0] = BOS;
  const begin = vocabulary.encode(vocabulary.respell(prefix), tokens, 1);
  const end = begin + letters.length;
  const given = [...tokens.subarray(1, begin)];
  if (end > config.blockSize - PRESETS[config.preset].generationMargin)
    return { prefix: given, probabilities: new Float32Array(0), token: BOS, isFull: true };
  tokens.set(letters, begin);
  if (hasCache(ops.dtype)) {
    forward(model, tokens, 0, begin);
    for (let t = begin; t < end; t++) forward(model, tokens, t, t + 1);
  } else forward(model, tokens, 0, end);
  const token = generator.sample(end - 1, temperature, limits);
  if (temperature === 0) probabilities[token] = 1;
  return { prefix: given, probabilities, token, isFull: false };
}
