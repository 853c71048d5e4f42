import type { Clock, Storage } from "../gpt/base/platform";
import type { Dtype, Ops } from "../gpt/model/ops";

/** What an app needs of the place where it runs: each place exports these four. */
export interface Place {
  readonly clock: Clock;
  readonly openStorage: (folder: string) => Promise<Storage>;
  readonly opsFor: (dtype?: Dtype) => Ops;
  readonly print: (line: string) => void;
}
