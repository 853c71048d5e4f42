import { encodeLosses } from "../workbench/losses";
import type { Run } from "../workbench/run";
import { download } from "./download";

/** Offers the losses of a training as a CSV file. */
export function downloadLosses({ seed, curve }: Run): void {
  download(`losses-seed-${seed}.csv`, encodeLosses(curve));
}
