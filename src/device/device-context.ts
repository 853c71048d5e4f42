import type { Platform } from "../gpt/base/platform";
import type { ProvideOps } from "../gpt/model/ops";
import type { Emit } from "../protocol/events";
import type { FirmwareSettings } from "./settings";

/** Where a device runs. */
export interface DeviceContext {
  readonly platform: Platform;
  readonly settings: FirmwareSettings;
  readonly provideOps: ProvideOps;
  /** Takes whole lines of the log. */
  readonly write: (text: string) => void;
  /** Is told of everything as it happens, and of every step, where somebody listens in the same program. */
  readonly onEvent?: Emit;
  /**
   * Whether there is room for more lines: what was asked for waits, rather than be lost.
   * @param most bytes that may wait to be sent, for it to have room
   */
  readonly canWrite?: (most?: number) => boolean;
  /** Whether its port has something to send or to take, and needs its turn soon. */
  readonly isBusy?: () => boolean;
  /** Starts everything anew, where that can be done. */
  readonly reboot?: () => void;
}
