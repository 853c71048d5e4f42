import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { InputError, printable } from "../../src/errors";
import { checkSettings } from "../../src/program/settings";
import { fileError } from "../file-errors";
import { Files } from "../files";
import { LIST } from "../inputs";
import { RECEIVED, STORED } from "../../src/program/keeping";
import { placeOptions } from "../options";
import type { Output } from "../output";
import { removeLeftovers } from "../outputs";
import { prepareXs, type RunOptions } from "../run";
import type { Board, BoardOptions } from "./board";
import { NodeBoard } from "./node-board";
import { XsBoard } from "./xs-board";

interface SimulateOptions extends RunOptions {
  readonly storage?: string;
  readonly listen?: string;
}

/** Bytes that may wait for whoever is at the other end of the cable; it loses what is beyond, as from a real one. */
const MOST_WAITING = 1 << 20;

/** Adds the device simulator to the command line. */
export function addSimulator(program: Command, output: Output, ending: AbortSignal): void {
  placeOptions(
    program
      .command("simulate")
      .description("run the device program on this computer, its serial port on stdin and stdout"),
    "auto",
  )
    .argument("[settings...]", "as build:esp32 takes them: steps=5000 save_every=5")
    .option("--storage <folder>", "its flash, which outlives it (default: an empty one, for once)")
    .option("--listen <host:port>", "its serial port as a TCP server instead, for one at a time")
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
  const files = new Files(ending);
  const temporary = options.storage === undefined ? mkdtempSync(join(tmpdir(), "esp32gpt-flash-")) : undefined;
  const folder = options.storage ?? temporary ?? "";
  try {
    if (options.storage !== undefined) makeFolder(folder);
    for (const name of [STORED, RECEIVED]) removeLeftovers(join(folder, name));
    await files.input(options.data, LIST);
    const cable = options.listen === undefined ? terminalCable(output) : await tcpCable(options.listen);
    const xs = options.engine === "node" ? undefined : await prepareXs(options, ending);
    const boardOptions: BoardOptions = {
      // Native ops are C, which only XS has.
      settings: { version: "simulator", codename: "goldcrest", ...(!xs && { ops: "typescript" }), ...settings },
      namesFile: files.pathOf(options.data),
      namesName: options.data,
      folder,
      output: cable.send,
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

/** Until the cable ends, for good, or the command is asked to. */
async function liveTogether(board: Board, cable: Cable, ending: AbortSignal): Promise<void> {
  const off = (): void => board.switchOff();
  ending.addEventListener("abort", off);
  cable.listen((bytes) => board.input(bytes), off);
  try {
    await board.live();
  } finally {
    ending.removeEventListener("abort", off);
  }
}

/** A serial cable. */
interface Cable {
  readonly send: (bytes: Uint8Array) => void;
  /** Hands on what comes, and says when nothing more can. */
  readonly listen: (receive: (bytes: Uint8Array) => void, end: () => void) => void;
  readonly close: () => void;
}

function terminalCable(output: Output): Cable {
  return {
    send: (bytes) =>
      output.trouble === undefined && output.stream.writableLength < MOST_WAITING && output.stream.write(bytes),
    listen(receive, end) {
      process.stdin.on("data", receive).on("end", end).on("error", end);
      output.whenLost(end);
    },
    close: () => process.stdin.destroy(),
  };
}

/** One that is pulled out and put back as often as one likes; a new one takes the place of the old. */
async function tcpCable(address: string): Promise<Cable> {
  let socket: Socket | undefined;
  let receive: (bytes: Uint8Array) => void = () => undefined;
  const server = createServer((next) => {
    socket?.destroy();
    socket = next.on("data", (bytes: Uint8Array) => receive(bytes)).on("error", () => undefined);
    next.on("close", () => {
      if (socket === next) socket = undefined;
    });
  });
  await listenAt(server, address);
  return {
    send: (bytes) => socket && socket.writableLength < MOST_WAITING && socket.write(bytes),
    listen: (to) => void (receive = to),
    close() {
      socket?.destroy();
      server.close();
    },
  };
}

async function listenAt(server: Server, address: string): Promise<void> {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(address);
  if (!match || Number(match[3]) > 0xffff)
    throw new InputError(`${printable(address, 200)} is no address to listen at: it looks like 127.0.0.1:5555.`);
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) =>
      reject(new InputError(`Cannot listen at ${printable(address, 200)}: ${error.message}.`)),
    );
    server.listen(Number(match[3]), match[1] || match[2], resolve);
  });
  const bound = server.address();
  if (bound !== null && typeof bound !== "string")
    console.error(`Listening at tcp://${address.replace(/\d+$/, String(bound.port))}`);
}

function settingsOf(words: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    words.map((word) => {
      const at = word.indexOf("=");
      if (at < 1) throw new InputError(`${printable(word)} is no setting: they look like steps=5000.`);
      return [word.slice(0, at), word.slice(at + 1)];
    }),
  );
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw fileError("write", folder, error);
  }
}
