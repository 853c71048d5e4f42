import type { Dtype, Ops } from "../gpt/model/ops";
import { typescriptOps } from "../gpt/model/typescript-ops";

/**
 * The fastest ops for a dtype: here those in TypeScript. Allocates one object for floats, nothing for i32.
 * @param dtype by default that which is fastest here, f32
 */
export function opsFor(dtype: Dtype = "f32"): Ops {
  return typescriptOps(dtype);
}
