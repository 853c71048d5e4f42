import { printablePath } from "../../src/gpt/base/errors";
import type { Storage } from "../../src/gpt/base/platform";
import { Runner } from "../../src/gpt/base/runner";
import { datasetOf } from "../../src/gpt/data/dataset";
import { planInference } from "../../src/gpt/plan-inference";
import { formatResource, type ResourceDtype } from "../../src/gpt/resource";
import { loadForJob } from "../../src/jobs/origin";
import { CHECKPOINT, LIST } from "../files/inputs";
import type { Output } from "../files/output";
import { checkPurposes } from "../files/outputs";
import { platformOf, provideOps } from "../node/run-on-node";
import { dtypeOf, withFiles } from "./job-commands";
import { chosen, type ModelOptions } from "./options";

export interface ExportOptions extends ModelOptions {
  readonly output: string;
  readonly data: string;
  readonly dtype?: ResourceDtype;
}

/**
 * The `export` command: makes a resource of a checkpoint.
 * @throws InputError (as a rejection) if the checkpoint cannot be used, or the file cannot be written
 */
export async function exportModel(
  file: string,
  options: ExportOptions,
  output: Output,
  ending: AbortSignal,
): Promise<void> {
  const { data, output: target } = options;
  checkPurposes([
    { option: "the checkpoint", path: file, isWritten: false },
    { option: "--data", path: data, isWritten: false },
    { option: "--output", path: target, isWritten: true },
  ]);
  await withFiles(ending, async (files) => {
    files.output(target);
    await files.input(file, CHECKPOINT);
    await files.input(data, LIST);
    const dtype = options.dtype ?? ((await dtypeOf(files, file)) === "i32" ? "i32" : "f32");
    const platform = platformOf(data, files);
    const runner = new Runner(platform);
    ending.addEventListener("abort", () => runner.stop());
    const loaded = await loadForJob(
      {
        platform,
        runner,
        emit(event) {
          if (event.type === "remark") console.error(`esp32gpt: ${event.message}`);
        },
        emitsAllSteps: false,
        provideOps,
      },
      file,
      { wanted: chosen(options, "model"), ops: provideOps(dtype), data: datasetOf(platform).vocabulary },
    );
    if (!loaded || ending.aborted) return;
    const { config, vocabulary } = loaded.model;
    await writeWhole(files.storage, target, formatResource(loaded.model));
    const { flash, bufferBytes } = planInference(config, dtype, vocabulary);
    output.write(
      `${printablePath(target)}: ${flash.toLocaleString("en-US")} bytes for flash, with weights in ${dtype}. ` +
        `Using it takes ${bufferBytes.toLocaleString("en-US")} bytes of RAM for buffers.\n`,
    );
  });
}

/** Writes a file, which replaces an old one as a whole. @throws InputError (as a rejection) if that fails */
async function writeWhole(storage: Storage, name: string, bytes: Uint8Array): Promise<void> {
  const file = await storage.create(name);
  try {
    file.write(bytes);
  } catch (error) {
    file.abort();
    throw error;
  }
  await file.commit();
}
