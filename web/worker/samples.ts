import type { Device } from "../../src/device/device";
import { BOS } from "../../src/gpt/data/vocabulary";
import type { SamplingLimits } from "../../src/gpt/model/config";
import { Generator } from "../../src/gpt/model/generate";
import { allocate } from "../../src/gpt/model/layout";
import { type InferenceModel, Model } from "../../src/gpt/model/model";
import { drawParameters } from "../../src/gpt/model/parameters";
import { Random, siblingSeed } from "../../src/gpt/model/random";
import { Predictor } from "../../src/gpt/predictor";
import type { Sample } from "./messages";

/** Names that are generated to be shown at a time, fewer of a model with more parameters than SHOWN_SIZE. */
const SHOWN = 10;
const SHOWN_SIZE = 250_000;

/** Generates names for the page beside the training, each with what is known of it. Call between two training steps. */
export class Samples {
  private readonly generator: Generator;
  private readonly predictor: Predictor;

  constructor(private readonly device: Device) {
    const { trainer, seed } = device;
    // A separate random stream, so that generated names do not affect the training.
    this.generator = new Generator(trainer.model, new Random(siblingSeed(seed)));
    this.predictor = new Predictor(trainer.model);
  }

  /** @throws InputError for a prefix, temperature or limit that the Generator refuses */
  generate(count: number, temperature: number, prefix: string, limits?: SamplingLimits): Sample[] {
    return Array.from({ length: count }, () => this.of(this.generator.name(temperature, prefix, limits)));
  }

  /** As many names as are shown at a time, at the temperature of the settings. */
  shown(): Sample[] {
    return this.generate(this.countShown, this.device.settings.value("temperature"), "");
  }

  /** What the page shows of a name that the model has generated. */
  of(name: string): Sample {
    const { dataset, stepsDone: step, totalSteps } = this.device.trainer;
    // With weights from a training on another dataset, `isKnown` would be meaningless before the first step.
    return {
      step,
      name,
      isKnown: totalSteps > 0 ? dataset.has(name) : undefined,
      bits: bitsOf(this.predictor, name),
    };
  }

  /** Names of the model that the seed draws. The training may have gone on since, so it is drawn again. */
  untrained(): Sample[] {
    const { device } = this;
    const { config, ops, vocabulary, parameters } = device.trainer.model;
    const model: InferenceModel = new Model(config, ops, vocabulary, allocate(ops.dtype, parameters.length));
    drawParameters(model.parameters, new Random(device.seed), config, ops);
    const generator = new Generator(model, new Random(siblingSeed(device.seed)));
    const predictor = new Predictor(model);
    const temperature = device.settings.value("temperature");
    return Array.from({ length: this.countShown }, () => {
      const name = generator.name(temperature);
      return { step: 0, name, bits: bitsOf(predictor, name) };
    });
  }

  private get countShown(): number {
    const { length } = this.device.trainer.model.parameters;
    return Math.max(1, Math.min(SHOWN, Math.floor((SHOWN * SHOWN_SIZE) / length)));
  }
}

function bitsOf(predictor: Predictor, name: string): number {
  const nats =
    name === "" ? -Math.log(predictor.probabilities("")[BOS] ?? 0) : predictor.negativeLogLikelihood(name).mean;
  return nats / Math.LN2;
}
