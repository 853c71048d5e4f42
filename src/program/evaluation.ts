import type { Dataset } from "../data/dataset";
import { InputError } from "../errors";
import type { Loss } from "../model/loss";
import { loadName } from "../data/fitting";
import { forward } from "../model/forward";
import type { Model } from "../model/model";
import type { Task } from "./runner";

/** Measures the mean loss over names, one a bit, without training. */
export class Evaluation implements Task {
  /** Names that were looked at, and those of them that fit. */
  done = 0;
  measured = 0;
  private sum = 0;
  private readonly tokens: Uint8Array;

  /** @param names indices of the names; all of the dataset when there are none */
  constructor(
    private readonly model: Model,
    private readonly dataset: Dataset,
    private readonly names?: Uint32Array,
  ) {
    this.tokens = new Uint8Array(model.config.blockSize + 1);
  }

  get total(): number {
    return this.names?.length ?? this.dataset.count;
  }

  /** The mean over the names measured, in nats; undefined when none of them fits. */
  get loss(): number | undefined {
    return this.measured > 0 ? this.sum / this.measured : undefined;
  }

  /** Begins again. */
  reset(): void {
    this.done = 0;
    this.measured = 0;
    this.sum = 0;
  }

  /** @throws InputError when a loss is no finite number */
  work(): boolean {
    const { model, dataset, names } = this;
    const loss = nameLoss(model, dataset, names ? names[this.done] : this.done, this.tokens);
    if (loss === "diverged")
      throw new InputError("The model gives no finite loss: it is broken, or its weights are too large.");
    if (loss !== "passed over") {
      this.sum += loss;
      this.measured++;
    }
    this.done++;
    return this.done < this.total;
  }
}

/** The loss of name `index`, without training. `tokens`: room for block_size + 1. */
export function nameLoss(model: Model, dataset: Dataset, index: number, tokens: Uint8Array): Loss {
  const rows = loadName(model, dataset, index, tokens);
  if (rows === 0) return "passed over";
  forward(model, tokens, 0, rows);
  const loss = model.ops.softmaxCrossEntropy(model.activations.logits, tokens, rows, model.config.vocabularySize);
  return Number.isFinite(loss) ? loss : "diverged";
}
