import { loadModel } from "../checkpoint/loading";
import type { ModelConfig } from "../config";
import type { Vocabulary } from "../data/vocabulary";
import type { Model } from "../model/model";
import type { Ops } from "../model/ops";
import { storageOf, type Surroundings } from "./surroundings";
import { printablePath } from "../errors";

/**
 * The model of a checkpoint, with a remark where the file has tensors of others; undefined when the runner
 * was told to stop. For the rest see loadModel.
 */
export async function loadForJob(
  file: string,
  wanted: Partial<ModelConfig>,
  ops: Ops,
  data: Vocabulary,
  { platform, runner, tell }: Surroundings,
  check?: (config: ModelConfig) => void,
): Promise<Model | undefined> {
  const loaded = await loadModel(runner, storageOf(platform), file, wanted, ops, data, check);
  if (loaded && loaded.passedOver.length > 0)
    tell({
      type: "remark",
      message: `${printablePath(file)} has tensors of others, which are passed over: ${loaded.passedOver.join(", ")}.`,
    });
  return loaded?.model;
}
