import type { Dtype, Ops } from "../../gpt/model/ops";
import { typescriptOps } from "../../gpt/model/typescript-ops";
import { hasFpu, nativeI32Ops, nativeOps } from "../../gpt/native/native-ops";

/**
 * The fastest ops for a dtype: those in C, and for f64, which C does not have, those in TypeScript. Allocates nothing
 * but the latter.
 * @param dtype by default that which is fastest here: i32 on a chip without an FPU, f32 on others
 */
export function opsFor(dtype: Dtype = hasFpu() ? "f32" : "i32"): Ops {
  if (dtype === "f64") return typescriptOps(dtype);
  return dtype === "i32" ? nativeI32Ops : nativeOps;
}
