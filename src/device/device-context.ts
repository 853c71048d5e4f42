import type { Platform } from "../gpt/base/platform";
import type { Dtype, ProvideOps } from "../gpt/model/ops";
import type { Emit } from "../protocol/events";
import type { FirmwareSettings } from "./settings";

/** What the device program needs from its environment. */
export interface DeviceContext {
  readonly platform: Platform;
  readonly settings: FirmwareSettings;
  readonly provideOps: ProvideOps;
  /** The dtype of the stored training: see stored-dtype.ts. */
  readonly storedDtype?: Dtype | undefined;
  /** Receives complete lines of the log. */
  readonly write: (text: string) => void;
  /** Called with every event and every step, for a listener in the same program. */
  readonly onEvent?: Emit;
  /**
   * Back pressure: whether the output has room for another line. Answers to commands wait instead of being dropped.
   * @param most maximum number of bytes waiting to be sent
   */
  readonly canWrite?: (most?: number) => boolean;
  /** Whether the port has data to send or to read, so that time slices must be short. */
  readonly isBusy?: () => boolean;
  /** Restarts the device; undefined where that is impossible. */
  readonly reboot?: () => void;
}
