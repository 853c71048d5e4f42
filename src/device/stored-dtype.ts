import { BootGuard } from "./boot-guard";
import { CheckpointFiles, STORED } from "./checkpoint-files";
import { InputError } from "../gpt/base/errors";
import type { Platform } from "../gpt/base/platform";
import { DEFAULT_MODEL } from "../gpt/model/config";
import type { Dtype } from "../gpt/model/ops";
import { headerLimits } from "../gpt/plan";
import type { FirmwareSettings } from "./settings";

/**
 * The dtype of the stored training, which has to be known before its buffers are allocated; undefined if there is no
 * checkpoint that can be read.
 */
export async function storedDtype(
  { storage, bootMarker }: Platform,
  { model }: FirmwareSettings,
): Promise<Dtype | undefined> {
  if (!storage) return undefined;
  const guard = new BootGuard(bootMarker);
  if (!guard.begin("dtype")) return undefined;
  let stored: Dtype | undefined;
  try {
    const files = new CheckpointFiles(storage, headerLimits({ ...DEFAULT_MODEL, ...model }));
    await files.tidy();
    const checkpoint = await files.find(STORED);
    stored = checkpoint?.dtype;
    checkpoint?.close();
  } catch (error) {
    // The checkpoint store reports it.
    if (!(error instanceof InputError)) throw error;
  }
  guard.end("dtype");
  return stored;
}
