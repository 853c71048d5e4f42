import type { Dataset } from "../data/dataset";
import { ListCheck } from "../data/list-check";
import { maxSymbols } from "./document-length";
import type { Runner, Task } from "../base/runner";
import type { Trainer } from "./trainer";
import type { EmitWork } from "./events";

/** The largest block_size of a model. */
const LARGEST_BLOCK = 4096;
/** Longer documents share a counter: on the device the counters may take 4 KB. */
const MAX_LENGTHS = 1024;
/** Documents for each unit of work. */
const DOCUMENTS = 32;

/** Counts the documents of a dataset by their length. */
class LengthCount implements Task {
  /** Documents with more than `most` characters. */
  tooLong = 0;
  /** Documents of each length; the last counter is for its own length and all above. */
  private readonly counts: Uint32Array;
  private done = 0;
  private at: number;

  constructor(
    private readonly dataset: Dataset,
    private readonly most: number,
  ) {
    this.counts = new Uint32Array(Math.min(dataset.longest + 1, MAX_LENGTHS));
    this.at = dataset.first;
  }

  work(): boolean {
    const { dataset, counts, most } = this;
    const last = counts.length - 1;
    const until = Math.min(this.done + DOCUMENTS, dataset.count);
    for (; this.done < until; this.done++) {
      if (this.done > 0) this.at = dataset.next(this.at);
      const letters = dataset.lettersAt(this.at);
      if (letters > most) this.tooLong++;
      counts[letters < last ? letters : last]++;
    }
    return this.done < dataset.count;
  }

  /** The smallest length that 99 % of the documents do not exceed; undefined if the counters do not reach it. */
  get longestOf99(): number | undefined {
    const { counts, dataset } = this;
    let sum = 0;
    for (let letters = 0; letters < counts.length; letters++) {
      sum += counts[letters];
      const isKnown = letters < counts.length - 1 || letters === dataset.longest;
      if (100 * sum >= 99 * dataset.count) return isKnown ? letters : undefined;
    }
    return undefined;
  }
}

/**
 * Emits a remark if documents are too long for the model and are passed over: how many there are, and which
 * block_size would take them. Nothing is read if there are none, or no step is left.
 */
export async function reportTooLong(trainer: Trainer, runner: Runner, emit: EmitWork): Promise<void> {
  const { model, dataset, config, holdout, stepsDone } = trainer;
  const most = maxSymbols(model);
  if (dataset.longest <= most || stepsDone >= config.steps) return;
  const count = new LengthCount(dataset, most);
  if ((await runner.run(count)) === "stopped") return;
  const { tooLong, longestOf99 = Infinity } = count;
  const percent = (100 * tooLong) / dataset.count;
  const share = percent < 0.1 ? "less than 0.1" : String(Number(percent.toFixed(1)));
  const effect = config.batchSize > 1 ? "its batch is one name smaller" : "its step teaches nothing";
  const message =
    `${tooLong} of ${dataset.count} names (${share} %) are too long for block_size ${model.config.blockSize}, ` +
    `which takes ${most} characters: each one drawn is passed over, and ${effect}. `;
  emit({ type: "remark", message: message + adviceFor(longestOf99 + 1, dataset.longest + 1, most + 1) });
  if (holdout?.sample.length === 0)
    emit({ type: "remark", message: "All names held out are too long as well: there is no validation loss." });
}

/** Advice in words, from the block sizes that take 99 % of the documents and all of them, and the present one. */
function adviceFor(most: number, all: number, present: number): string {
  const isOf99 = most > present && most < all && most <= LARGEST_BLOCK;
  if (all > LARGEST_BLOCK)
    return isOf99 ? `block_size ${most} takes 99 %; the longest has ${all - 1}.` : `The longest has ${all - 1}.`;
  return isOf99 ? `block_size ${most} takes 99 %, ${all} takes all of them.` : `block_size ${all} takes all of them.`;
}

/** Emits remarks on oddities of a dataset, which is read again only if there may be any. */
export async function reportOddities(dataset: Dataset, runner: Runner, emit: EmitWork): Promise<void> {
  const check = new ListCheck(dataset);
  if (check.isNeeded && (await runner.run(check)) === "stopped") return;
  for (const message of check.remarks) emit({ type: "remark", message });
}
