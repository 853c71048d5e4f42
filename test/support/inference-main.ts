import type { Host } from "../../host/xs/host";
import {
  f32InferenceOps,
  i32InferenceOps,
  type InferenceOps,
  InputError,
  modelFromFlash,
} from "../../src/gpt/inference";
import { datasetKernels, nativeI32Ops, nativeOps } from "../../src/gpt/native/native-ops";
import { inferenceAnswer } from "./inference-answer";

// Runs on XS: the bytes of host.names are a resource, which is read-only. Tells xs-inference.test.ts what its model says
// with all ops, and what the model takes.

declare const host: Host;

const resource = new Uint8Array(host.names);
const tryAll = (all: readonly InferenceOps[]): string[] =>
  all.map((ops) => {
    try {
      return inferenceAnswer(resource, ops, ops.name === "native" ? datasetKernels.crc32 : undefined);
    } catch (error) {
      return error instanceof InputError ? error.message : `${String(error)}\n${String((error as Error).stack)}`;
    }
  });

const answers = tryAll([f32InferenceOps, nativeOps, i32InferenceOps, nativeI32Ops]);
host.collect();
const before = host.usage().usedChunks;
const kept = [f32InferenceOps, i32InferenceOps].flatMap((ops) => {
  try {
    return [modelFromFlash(resource, ops)];
  } catch {
    return [];
  }
});
host.collect();
const taken = host.usage().usedChunks - before;
let refusal = "";
try {
  modelFromFlash(resource.subarray(2), f32InferenceOps);
} catch (error) {
  refusal = String(error);
}
host.write(`${JSON.stringify({ answers, taken, models: kept.length, refusal })}\n`);
