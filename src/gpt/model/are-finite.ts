import type { Floats } from "./ops";

/** Whether no element is NaN or infinite. */
export function areFinite(x: Floats): boolean {
  // On XS a method with a callback takes several times as long.
  for (let i = 0; i < x.length; i++) if (x[i] - x[i] !== 0) return false;
  return true;
}
