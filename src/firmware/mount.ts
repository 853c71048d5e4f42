import { BootGuard } from "../device/boot-guard";
import type { BootMarker } from "../gpt/base/platform";
import type { OpenedStorage } from "../places/moddable/storage";

const GIVEN_UP =
  "Nothing can be saved here: opening the file system in flash restarted the chip twice. It is tried again " +
  "after power-off; npm run erase creates an empty one.";

/** Opens the storage, unless that has reset the chip twice. */
export function mount(marker: BootMarker | undefined, open: () => OpenedStorage): OpenedStorage {
  const guard = new BootGuard(marker);
  if (!guard.begin("storage")) return { storage: undefined, refusal: GIVEN_UP };
  const opened = open();
  guard.end("storage");
  return opened;
}
