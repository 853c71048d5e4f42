import { createHash } from "node:crypto";
import { basename } from "node:path";
import type { SingleBar } from "cli-progress";
import { flash, OUTCOMES, type Stage, STAGES, type Storage } from "../../src/flasher/flash";
import { type Image, MAX_BYTES, readImage } from "../../src/flasher/image";
import type { Library } from "../../src/flasher/library";
import { InputError, printablePath } from "../../src/gpt/base/errors";
import { Files } from "../files/files";
import { type InputKind, readRegular } from "../files/inputs";
import type { Output } from "../files/output";
import { findPort, monitor } from "../monitor/command";
import { isPlainTcp } from "../monitor/connection";
import { showCursorWhileSuspended } from "../terminal/suspension";
import { LinePort } from "./line-port";

const IMAGE: InputKind = { what: "an image", limit: MAX_BYTES };

export interface FlashOptions {
  readonly port?: string;
  /** Of the transfer. */
  readonly baud?: number;
  /** Everything first. */
  readonly erase: boolean;
  /** Whether the monitor follows; at a terminal unless it is said. */
  readonly monitor?: boolean;
}

/** Baud of the ROM, and of what a board says. */
const BAUD = 115_200;

/**
 * Writes an image into a board, and opens the monitor.
 * @param path of the image
 * @param ending asks it to end: it says how it then stands with the board
 * @throws InputError when the image is not a sound one, or the board not what it is for, or out of reach
 */
export async function flashImage(
  path: string,
  options: FlashOptions,
  output: Output,
  ending: AbortSignal,
): Promise<void> {
  const image = await load(path, ending);
  const name = await findPort(options.port, ending);
  const isPlain = isPlainTcp(name);
  if (isPlain && options.baud !== undefined)
    throw new InputError("--baud is for serial ports and rfc2217://: a TCP connection has no speed.");
  output.write(`${describe(basename(path), image)}\n`);
  const port = await LinePort.of(name, ending);
  const storage = await write(port, image, { ...options, baud: isPlain ? BAUD : options.baud }, output, ending);
  const next = port.hasSignals ? " and restarts." : ": press its EN (or RESET) button.";
  output.write(`The board is flashed${next} ${OUTCOMES[storage]}\n`);
  const isAtTerminal = process.stdin.isTTY && process.stdout.isTTY;
  if (options.monitor ?? isAtTerminal)
    await monitor({ port: name, baud: BAUD, reset: false, which: false }, [], ending);
}

async function load(path: string, ending: AbortSignal): Promise<Image> {
  if (path === "") throw new InputError("The image must have a name.");
  const files = new Files(ending);
  try {
    await files.input(path, IMAGE);
    const bytes = new Uint8Array(readRegular(files.pathOf(path), IMAGE));
    return await readImage(bytes, basename(path), sha256);
  } finally {
    files.close();
  }
}

function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return Promise.resolve(createHash("sha256").update(bytes).digest());
}

function describe(name: string, { chip, flashSize, version, bytes }: Image): string {
  const size = `${Math.round(bytes.length / 1024).toLocaleString("en")} KB`;
  const versionText = version && `, version ${version}`;
  return `${printablePath(name)}: ${chip.name}, ${flashSize / 2 ** 20} MB of flash${versionText}, ${size}, written at 0.`;
}

interface WriteOptions {
  readonly erase: boolean;
  readonly baud?: number | undefined;
}

/**
 * Writes it, and shows how far that is.
 * @throws what `ending` was aborted with, and has said how it stands with the board
 */
async function write(
  port: LinePort,
  image: Image,
  { erase, baud }: WriteOptions,
  output: Output,
  ending: AbortSignal,
): Promise<Storage> {
  const library = await loadLibrary();
  const progress = await Progress.on(output);
  const isWriting = (): boolean => progress.stage !== "connecting";
  const abandon = (): void => port.abandon(!isWriting());
  ending.addEventListener("abort", abandon);
  try {
    return await flash({ library, portTrouble: () => undefined }, port, image, {
      isEraseAll: erase,
      ...(baud === undefined ? {} : { speed: baud }),
      onProgress: (stage, done) => progress.show(stage, done),
      onFit: (storage) => progress.say(fate(image, storage, erase)),
      signal: ending,
    });
  } catch (error) {
    if (!ending.aborted) throw error;
    progress.end();
    console.error(`esp32gpt: ${isWriting() ? CANCELLED_HALFWAY : cancelled(port)}`);
    throw ending.reason;
  } finally {
    ending.removeEventListener("abort", abandon);
    progress.end();
  }
}

const CANCELLED_HALFWAY =
  "Cancelled while the image was written: flash it again; the board is not damaged, but does not boot until then.";

function cancelled({ hasSignals }: LinePort): string {
  return hasSignals ? "Cancelled: nothing was written, and the board restarts." : "Cancelled: nothing was written.";
}

/** What becomes of the board's checkpoint. */
function fate({ storage, isStorageKept }: Image, outcome: Storage, isEraseAll: boolean): string {
  if (outcome === "kept") return "What the board has stored, its checkpoint and settings, is kept.";
  if (isEraseAll) return "Everything on the board is erased first: its checkpoint and settings are lost.";
  if (!storage) return "The image has no file system for a checkpoint: one on the board will be of no use.";
  if (!isStorageKept) return "The image covers the board's file system: its checkpoint and settings are lost.";
  return "The board has no file system where the image has its own: it begins without a checkpoint.";
}

async function loadLibrary(): Promise<Library<LinePort>> {
  const { ClassicReset, ESPLoader, Transport, UsbJtagSerialReset } = await import("esptool-js");
  const md5 = (bytes: Uint8Array): Uint8Array => createHash("md5").update(bytes).digest();
  return { ClassicReset, ESPLoader, Transport, UsbJtagSerialReset, md5 } as unknown as Library<LinePort>;
}

/** How far it is: a line for each stage, and at a terminal a bar while it writes. */
class Progress {
  stage: Stage = "connecting";
  private unfollow = (): void => undefined;

  private constructor(
    private readonly output: Output,
    private readonly bar: SingleBar | undefined,
  ) {}

  static async on(output: Output): Promise<Progress> {
    output.write(`${STAGES.connecting}...\n`);
    if (!process.stdout.isTTY) return new Progress(output, undefined);
    const { SingleBar } = await import("cli-progress");
    const bar = new SingleBar({
      format: `{bar} {percentage}% | ${STAGES.writing}`,
      clearOnComplete: true,
      hideCursor: true,
      gracefulExit: false,
      stream: process.stdout,
      barsize: 24,
    });
    return new Progress(output, bar);
  }

  say(sentence: string): void {
    this.output.write(`${sentence}\n`);
  }

  show(stage: Stage, done?: number): void {
    const isNew = stage !== this.stage;
    this.stage = stage;
    const { bar } = this;
    if (stage === "writing" && bar) {
      if (isNew) {
        bar.start(1, 0);
        this.unfollow = showCursorWhileSuspended(process.stdout);
      }
      bar.update(done ?? 0);
      return;
    }
    if (!isNew) return;
    this.end();
    this.say(`${STAGES[stage]}...`);
  }

  /** Takes the bar away. */
  end(): void {
    if (this.bar?.isActive) this.bar.stop();
    this.unfollow();
    this.unfollow = () => undefined;
  }
}
