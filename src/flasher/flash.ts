/* Writes an image into a board's flash with esptool-js, Espressif's own library. */
import { InputError, printable } from "../gpt/base/errors";
import { type Chip, CHIPS } from "./chips";
import { type Image, PARTITION_TABLE_AT, PARTITION_TABLE_SIZE, readPartitions } from "./image";
import type { Library, Loader, Port, Reset, Transport } from "./library";

export type Stage = "connecting" | "erasing" | "writing" | "checking";

export const STAGES: Readonly<Record<Stage, string>> = Object.freeze({
  connecting: "Connecting to the board",
  erasing: "Erasing the flash, which can take a minute",
  writing: "Writing",
  checking: "Comparing what the flash holds",
});

/** What a board is, as its ROM loader and its flash say. */
export interface Found {
  /** Undefined for a chip that is not known here. */
  readonly chip: Chip | undefined;
  /** The name of the chip. */
  readonly name: string;
  /** In bytes; undefined where the flash does not say. */
  readonly flashSize: number | undefined;
}

/** Where it is flashed from: a page or a program. */
export interface FlashPlace<P extends Port> {
  readonly library: Library<P>;
  /** What to tell the user when it is the port itself that has failed; undefined for other failures. */
  readonly portTrouble: (error: unknown) => InputError | undefined;
}

export interface FlashOptions {
  /** Everything in the flash goes, also what the image does not cover. */
  readonly isEraseAll: boolean;
  /** Baud of the transfer, where the port has a speed; 460,800 unless it is said. */
  readonly speed?: number;
  /** @param done of the stage, 0…1; undefined where nobody knows */
  readonly onProgress: (stage: Stage, done?: number) => void;
  /** The board is what the image is for, and is about to be changed: what will become of its file system. */
  readonly onFit?: (storage: Storage) => void;
  /** An AbortSignal, heeded until the flash is about to be changed. */
  readonly signal: { throwIfAborted(): void };
}

/** What has become of the board's file system, where its checkpoint and its own words are. */
export type Storage = "kept" | "gone";

/** For the user, when the image has been written. */
export const OUTCOMES: Readonly<Record<Storage, string>> = Object.freeze({
  kept: "Its checkpoint has been left as it was.",
  gone: "It begins without a checkpoint.",
});

/** Baud. The ROM begins at the first; the second is what USB bridges of all makers can do. */
const ROM_SPEED = 115_200;
const SPEED = 460_800;
/** The USB vendor of chips that have a USB port of their own. */
const ESPRESSIF = 0x303a;

const HINT =
  "hold its BOOT button, press EN (or RESET; without such a button plug the cable in again), release BOOT, and try again";

/** EN is low for 100 ms. (The library's own "hard_reset" lets EN go, but never pulls it.) */
const RESET = "D0|R1|W100|R0";

/**
 * Writes the image at 0, compressed, compares the MD5 of what the flash then holds, and resets the board.
 * @param port closed; it is closed again when this ends, in whatever way
 * @throws {InputError} when the board does not answer or is not what the image is for, or the cable is lost
 * @throws what `signal` throws, when it came in time: then nothing was written
 */
export async function flash<P extends Port>(
  { library, portTrouble }: FlashPlace<P>,
  port: P,
  image: Image,
  options: FlashOptions,
): Promise<Storage> {
  const order = { image, isEraseAll: options.isEraseAll };
  return flashAfterLooking({ library, portTrouble }, port, () => Promise.resolve(order), options);
}

/** What to write, and whether to erase everything before. */
export interface Order {
  readonly image: Image;
  readonly isEraseAll: boolean;
}

/**
 * The same, with an image that is chosen when it is known what the board is. The board waits for it in its loader, so
 * that one that has to be got there by its buttons is got there once.
 * @param decide may take any time; when it rejects, nothing is written
 * @throws what flash() throws
 */
export async function flashAfterLooking<P extends Port>(
  { library, portTrouble }: FlashPlace<P>,
  port: P,
  decide: (found: Found) => Promise<Order>,
  options: Omit<FlashOptions, "isEraseAll">,
): Promise<Storage> {
  const { onProgress, onFit, signal } = options;
  onProgress("connecting");
  const transport = new library.Transport(port);
  // It writes to the console.
  transport.trace = () => undefined;
  const loader = createLoader(library, transport, options);
  const cable = watchCable(port, transport);
  let isWriting = false;
  try {
    await cable.during(loader.main());
    const found = await cable.during(identify(loader));
    const { image, isEraseAll } = await cable.during(decide(found));
    const trouble = misfit(found, image);
    if (trouble !== undefined) throw new InputError(`${trouble}: nothing was written.`);
    const isKept = !isEraseAll && image.isStorageKept && (await cable.during(hasStorage(loader, image, library.md5)));
    signal.throwIfAborted();
    onFit?.(isKept ? "kept" : "gone");
    isWriting = true;
    onProgress(isEraseAll ? "erasing" : "writing");
    await cable.during(
      loader.writeFlash({
        fileArray: [{ data: image.bytes, address: 0 }],
        flashMode: "keep",
        flashFreq: "keep",
        flashSize: "keep",
        eraseAll: isEraseAll,
        compress: true,
        reportProgress: (_file, written, total) =>
          onProgress(written < total ? "writing" : "checking", written / total),
        calculateMD5Hash: (bytes) => toHex(library.md5(bytes)),
      }),
    );
    return isKept ? "kept" : "gone";
  } catch (error) {
    if (!isWriting) signal.throwIfAborted();
    if (error instanceof InputError) throw error;
    const trouble = isWriting || cable.isLost() ? undefined : portTrouble(error);
    throw trouble ?? explain(error, isWriting, cable.isLost());
  } finally {
    // A chip with USB of its own may go for a moment when it is reset.
    cable.forget();
    await leave(port, loader, cable.isLost());
  }
}

/** Why an image cannot be written into a board, a sentence without its end; undefined if it can. */
export function misfit({ chip, name, flashSize }: Found, image: Image): string | undefined {
  if (chip?.id !== image.chip.id) return `The board has an ${name}, and the image is for an ${image.chip.name}`;
  if (flashSize === undefined || flashSize >= image.flashSize) return undefined;
  return `The board has ${flashSize / 2 ** 20}MB of flash, and the image is for ${image.flashSize / 2 ** 20}MB`;
}

function createLoader<P extends Port>(
  library: Library<P>,
  transport: Transport<P>,
  { signal, speed = SPEED }: Pick<FlashOptions, "signal" | "speed">,
): Loader<P> {
  /** Every attempt to reach the board begins with a reset: there it can be given up. */
  const unlessAborted = (strategy: Reset): Reset => ({
    reset: () => {
      signal.throwIfAborted();
      return strategy.reset();
    },
  });
  return new library.ESPLoader({
    transport,
    // The speed of a chip's own USB means nothing, and reopening the port could reset it.
    baudrate: transport.getVid() === ESPRESSIF ? ROM_SPEED : speed,
    romBaudrate: ROM_SPEED,
    terminal: { clean: () => undefined, write: () => undefined, writeLine: () => undefined },
    resetConstructors: {
      classicReset: (transport, delay) => unlessAborted(new library.ClassicReset(transport, delay)),
      usbJTAGSerialReset: (transport) => unlessAborted(new library.UsbJtagSerialReset(transport)),
    },
  });
}

interface Cable {
  /** What the work gives, unless the cable is pulled before. */
  during: <T>(work: Promise<T>) => Promise<T>;
  isLost: () => boolean;
  forget: () => void;
}

/** The library would wait out its timeouts when a cable is pulled, and go on when it is back. */
function watchCable<P extends Port>(port: P, transport: Transport<P>): Cable {
  let isLost = false;
  let lose = (): void => undefined;
  const lost = new Promise<never>((_, reject) => {
    lose = () => {
      isLost = true;
      transport.updateDevice(nowhere() as P);
      reject(new Error("The device has been lost."));
    };
  });
  lost.catch(() => undefined);
  port.addEventListener("disconnect", lose);
  return {
    during: (work) => Promise.race([work, lost]),
    isLost: () => isLost,
    forget: () => port.removeEventListener("disconnect", lose),
  };
}

/** A port that leads nowhere, for what is left of the work on one that is gone. */
function nowhere(): Port {
  const refuse = (): Promise<never> => Promise.reject(new Error("The device has been lost."));
  const getWriter = (): never => {
    throw new Error("The device has been lost.");
  };
  const port = { readable: null, writable: { getWriter }, open: refuse, close: refuse, setSignals: refuse };
  return port as unknown as Port;
}

/** @throws {InputError} when the chip is locked */
async function identify<P extends Port>(loader: Loader<P>): Promise<Found> {
  const chip = CHIPS.find(({ id }) => id === loader.chip.IMAGE_CHIP_ID);
  const name = chip?.name ?? printable(loader.chip.CHIP_NAME);
  if (!loader.IS_STUB)
    throw new InputError(
      `The board's chip, an ${name}, is locked (secure download mode), and cannot be flashed from here.`,
    );
  const size = await loader.detectFlashSize();
  return { chip, name, flashSize: size === undefined ? undefined : loader.flashSizeBytes(size) };
}

/** Whether the board, as it is, has a file system where the image expects its own. */
async function hasStorage<P extends Port>(
  loader: Loader<P>,
  { storage }: Image,
  md5: (bytes: Uint8Array) => Uint8Array,
): Promise<boolean> {
  const table = await loader.readFlash(PARTITION_TABLE_AT, PARTITION_TABLE_SIZE);
  // The library leaves the packet with the hash of what was read where it is.
  const hash = await loader.transport.read(loader.DEFAULT_TIMEOUT);
  if (toHex(hash) !== toHex(md5(table))) throw new Error("The partition table was garbled on its way.");
  return readPartitions(table).some(
    ({ label, offset, size }) => label === storage?.label && offset === storage.offset && size === storage.size,
  );
}

function explain(error: unknown, isWriting: boolean, isLost: boolean): InputError {
  const message = error instanceof Error ? error.message : "";
  if (isWriting && message.startsWith("MD5 of file"))
    return new InputError(
      "The board's flash does not hold what was written: flash it again, at best with another cable or USB port.",
    );
  if (isWriting)
    return new InputError(
      "The connection was lost while the image was written: plug the cable in and flash it again; the board is not damaged, but does not boot until then.",
    );
  if (isLost) return new InputError("The cable was pulled before anything was written: plug it in and try again.");
  if (message.startsWith("Failed to connect")) return new InputError(`The board does not answer: ${HINT}.`);
  return new InputError(`The board does not answer as it should (${printable(message)}): ${HINT}.`);
}

/** Starts what is in the flash, and closes the port. */
async function leave<P extends Port>(port: P, loader: Loader<P>, isLost: boolean): Promise<void> {
  const ignore = (): undefined => undefined;
  if (isLost) return port.close().catch(ignore);
  await loader.after("custom_reset", undefined, RESET).catch(ignore);
  await loader.transport.disconnect().catch(ignore);
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
