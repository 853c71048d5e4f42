import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { finished } from "node:stream/promises";
import { type Command, Option } from "commander";
import { InputError, printable } from "../../src/gpt/base/errors";
import { checkSettings } from "../../src/device/settings";
import { CHIPS } from "../../src/places/chips";
import { fileError } from "../../src/places/node/file-errors";
import { Files } from "../files/files";
import { LIST } from "../files/inputs";
import { ALL_FILES } from "../../src/device/checkpoint-files";
import { placeOptions } from "../run/options";
import type { Output } from "../files/output";
import { removeLeftovers } from "../files/outputs";
import { prepareXs, type RunOptions } from "../run/run";
import type { Board, BoardOptions } from "./board";
import { runApp } from "./app";
import type { XsOptions } from "../xs/engine";
import { NodeBoard } from "./node-board";
import { XsBoard } from "./xs-board";

interface SimulateOptions extends RunOptions {
  readonly storage?: string;
  readonly listen?: string;
  readonly app?: string;
  /** A key of CHIPS. */
  readonly chip: string;
}

/** Maximum length of a name=value setting, in characters. */
const MAX_SETTING = 200;

/** Adds the `simulate` command to the command line. */
export function addSimulator(program: Command, output: Output, ending: AbortSignal): void {
  placeOptions(
    program
      .command("simulate")
      .description("run the device program on this computer, with its serial port on stdin and stdout"),
    "auto",
  )
    .argument("[settings...]", "settings as for build:esp32: steps=5000 save_every=5")
    .addOption(
      new Option("--chip <chip>", "the chip: its memory, and i32 if it has no FPU")
        .choices(CHIPS.map(({ key }) => key))
        .default(CHIPS[0].key),
    )
    .option("--storage <folder>", "folder for its storage, kept afterwards (default: an empty temporary one)")
    .option("--listen <host:port>", "serve its serial port over TCP instead, to one client at a time")
    .option("--app <folder>", "run the app in this folder instead: its main.js or main.ts, as examples/ has them")
    .action((settings: string[], options: SimulateOptions) => simulate(settings, options, output, ending));
}

async function simulate(
  words: readonly string[],
  options: SimulateOptions,
  output: Output,
  ending: AbortSignal,
): Promise<void> {
  const settings = settingsOf(words);
  checkSettings(settings);
  if (options.app !== undefined && (words.length > 0 || options.listen !== undefined))
    throw new InputError("An app has no settings and no port: leave them out, or leave out --app.");
  const files = new Files(ending);
  const temporary = options.storage === undefined ? mkdtempSync(join(tmpdir(), "esp32gpt-flash-")) : undefined;
  const folder = options.storage ?? temporary ?? "";
  try {
    if (options.storage !== undefined) makeFolder(folder);
    for (const name of ALL_FILES) removeLeftovers(join(folder, name));
    const chip = CHIPS.find(({ key }) => key === options.chip) ?? CHIPS[0];
    const prepare = async (): Promise<XsOptions | undefined> => {
      const prepared = options.engine === "node" ? undefined : await prepareXs(options, "chip", ending);
      return prepared && { ...prepared, chip };
    };
    if (options.app !== undefined) {
      const xs = await prepare();
      await runApp(options.app, { xs, folder, dtype: chip.dtype, stats: options.stats ?? false }, output, ending);
      return;
    }
    await files.input(options.data, LIST);
    const cable = options.listen === undefined ? terminalCable(output) : await tcpCable(options.listen);
    const xs = await prepare();
    const boardOptions: BoardOptions = {
      // Native ops are C code, which only the XS host contains.
      settings: { version: "simulator", codename: "goldcrest", ...(!xs && { ops: "typescript" }), ...settings },
      namesFile: files.pathOf(options.data),
      namesName: options.data,
      folder,
      dtype: chip.dtype,
      usage: (json) => options.stats && console.error(json.trim()),
    };
    const board = xs ? new XsBoard(boardOptions, xs) : new NodeBoard(boardOptions);
    try {
      await liveTogether(board, cable, ending);
    } finally {
      cable.close();
    }
  } finally {
    files.close();
    if (temporary !== undefined) rmSync(temporary, { recursive: true, force: true });
  }
}

/** Runs until the cable is closed for good or the command is aborted. */
async function liveTogether(board: Board, cable: Cable, ending: AbortSignal): Promise<void> {
  const off = (): void => board.switchOff();
  ending.addEventListener("abort", off);
  cable.plugInto(board.port, off);
  try {
    await board.live();
    // Wait until the last output is delivered.
    await finished(board.port, { writable: false }).catch(() => undefined);
  } finally {
    ending.removeEventListener("abort", off);
  }
}

/** Connects a serial port to the terminal or to TCP. */
interface Cable {
  /**
   * Connects the port, with flow control in both directions.
   * @param off called when no client can connect any more
   */
  readonly plugInto: (port: Duplex, off: () => void) => void;
  readonly close: () => void;
}

function terminalCable(output: Output): Cable {
  return {
    plugInto(port, off) {
      process.stdin.on("error", off).pipe(port).pipe(output.stream, { end: false });
      output.whenLost(off);
    },
    close: () => process.stdin.destroy(),
  };
}

/** A TCP server as a cable: clients may disconnect and reconnect; a new client replaces the old one. */
async function tcpCable(address: string): Promise<Cable> {
  let socket: Socket | undefined;
  let join: (next: Socket) => void = (early) => early.destroy();
  const server = createServer((next) => join(next));
  await listenAt(server, address);
  return {
    plugInto(port) {
      // Without a client, output is discarded.
      port.resume();
      join = (next) => {
        socket?.destroy();
        socket = next.on("error", () => undefined);
        next.pipe(port, { end: false });
        port.pipe(next, { end: false });
        next.on("close", () => {
          if (socket !== next) return;
          socket = undefined;
          port.unpipe().resume();
        });
      };
    },
    close() {
      socket?.destroy();
      server.close();
    },
  };
}

async function listenAt(server: Server, address: string): Promise<void> {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(address);
  if (!match || Number(match[3]) > 0xffff)
    throw new InputError(
      `${printable(address, 200)} is not an address to listen on: it must look like 127.0.0.1:5555.`,
    );
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) =>
      reject(new InputError(`Cannot listen on ${printable(address, 200)}: ${error.message}.`)),
    );
    server.listen(Number(match[3]), match[1] ?? match[2], resolve);
  });
  const bound = server.address();
  if (bound !== null && typeof bound !== "string")
    console.error(`Listening at tcp://${address.replace(/\d+$/, String(bound.port))}`);
}

function settingsOf(words: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    words.map((word) => {
      if (word.length > MAX_SETTING) throw new InputError(`The setting ${printable(word)} is too long.`);
      const at = word.indexOf("=");
      if (at < 1) throw new InputError(`${printable(word)} is not a setting: it must look like steps=5000.`);
      return [word.slice(0, at), word.slice(at + 1)];
    }),
  );
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    const isOther = error instanceof Error && "code" in error && error.code === "EEXIST";
    throw isOther ? new InputError(`${printable(folder, 200)} is not a folder.`) : fileError("write", folder, error);
  }
}
