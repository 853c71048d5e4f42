/* Flashing from the page: over the browser's port, with esptool-js, which is fetched when this is called. */
import { flashAfterLooking, type FlashOptions, type Found, type Order, type Storage } from "../../src/flasher/flash";
import type { Library } from "../../src/flasher/library";
import { InputError, printable } from "../../src/gpt/base/errors";

/**
 * @param port closed; it is closed again when this ends, in whatever way
 * @param decide gives the image for the board that was found
 * @throws {InputError} when the library cannot be fetched, and as flashing does (src/flasher/flash.ts)
 * @throws {DOMException} AbortError, when `signal` came in time: then nothing was written
 */
export async function flash(
  port: SerialPort,
  decide: (found: Found) => Promise<Order>,
  options: Omit<FlashOptions, "isEraseAll">,
): Promise<Storage> {
  options.onProgress("connecting");
  const library = await loadLibrary();
  options.signal.throwIfAborted();
  return flashAfterLooking({ library, portTrouble }, port, decide, options);
}

async function loadLibrary(): Promise<Library<SerialPort>> {
  try {
    return (await import("./library")) as unknown as Library<SerialPort>;
  } catch {
    throw new InputError("The part of this page that flashes cannot be fetched: is there a connection?");
  }
}

function portTrouble(error: unknown): InputError | undefined {
  if (!(error instanceof DOMException)) return undefined;
  return new InputError(
    `The port cannot be used (${printable(error.message)}): close what else has it open, a monitor or another tab.`,
  );
}
