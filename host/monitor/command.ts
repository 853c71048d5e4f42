import { once } from "node:events";
import type { Duplex } from "node:stream";
import { type Command, InvalidArgumentError, Option } from "commander";
import { InputError, printable } from "../../src/gpt/base/errors";
import { checkPurposes } from "../files/outputs";
import { loadDrawCurve } from "../terminal/curve";
import { connect, listPorts, PortMissingError } from "./connection";
import { LiveSession } from "./live";
import { ReconnectingConnection } from "./reconnecting";
import { choosePort, environmentPort, NoBoard } from "./ports";
import { SessionLog } from "./session-log";
import { simulate } from "./simulator";
import { converse, type SessionEnd } from "./terminal";
import { carry, fetchInto, Lost, sendFrom, type Transfer } from "./transfer";

/** The connection was lost. */
const EXIT_LOST = 1;

interface MonitorOptions {
  readonly port?: string;
  readonly baud: number;
  readonly reset: boolean;
  readonly which: boolean;
  readonly log?: string;
  readonly fetch?: string;
  readonly send?: string;
  readonly reconnect?: boolean;
  readonly simulate?: boolean;
}

/** Adds the `monitor` command to the command line. */
export function addMonitor(program: Command, ending: AbortSignal): void {
  program
    .command("monitor")
    .description(
      "show a board's output and send it typed lines; at a terminal, plot its loss. " +
        "With a pipe as input, end when the board has answered every command; with empty input, only listen",
    )
    .argument("[options...]", "with --simulate: options of the simulator, after --")
    .option(
      "--port <port>",
      "serial port, tcp://host:port or rfc2217://host:port (default: $UPLOAD_PORT, $ESPTOOL_PORT, or the port of the only board)",
    )
    .option("--baud <rate>", "baud rate of the serial port", parseBaud, 115200)
    .option("--reset", "reset the board first", false)
    .option("--which", "print which port would be used, and exit", false)
    .option("--log <file>", "append the board's output and typed lines, with timestamps")
    .addOption(
      new Option("--fetch <file>", "save the board's checkpoint to a file, and exit").conflicts(["send", "reconnect"]),
    )
    .addOption(new Option("--send <file>", "send a checkpoint to the board, and exit").conflicts("reconnect"))
    .option(
      "--reconnect",
      "wait for the board at the start and after a disconnect (default: at a terminal, on a serial port)",
    )
    .option("--no-reconnect", "exit when the board disconnects")
    .addOption(
      new Option("--simulate", "start the device simulator and monitor it").conflicts([
        "port",
        "baud",
        "reset",
        "which",
        "reconnect",
      ]),
    )
    .action((simulatorOptions: string[], options: MonitorOptions) => monitor(options, simulatorOptions, ending));
}

export function parseBaud(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(text);
}

/** How to connect to a board. */
interface BoardLink {
  /** Its name in messages. */
  readonly name: string;
  readonly open: () => Promise<Duplex>;
  /** Whether it can disconnect and reconnect, as a cable can. */
  readonly isSerial: boolean;
  /** Receives the standard error of a simulator. */
  complain?: (text: string) => void;
  /** Resolves when the simulator has exited. */
  readonly over?: () => Promise<unknown>;
}

/**
 * Runs the `monitor` command.
 * @param ending aborts to end the session
 * @throws InputError when there is no port, it cannot be opened, or a file cannot be written
 */
export async function monitor(
  options: MonitorOptions,
  simulatorOptions: readonly string[],
  ending: AbortSignal,
): Promise<void> {
  if (simulatorOptions.length > 0 && !options.simulate)
    throw new InputError("Arguments after -- are options of the simulator: they need --simulate.");
  if (options.which) {
    console.log(await findPort(options.port, ending));
    return;
  }
  const purposes = [
    { option: "--log", path: options.log, isWritten: true },
    { option: "--fetch", path: options.fetch, isWritten: true },
    { option: "--send", path: options.send, isWritten: false },
  ];
  checkPurposes(purposes.flatMap(({ path, ...purpose }) => (path === undefined ? [] : [{ path, ...purpose }])));
  const transfer = await prepareTransfer(options);
  const log = options.log === undefined ? undefined : SessionLog.open(options.log);
  try {
    const way = options.simulate ? simulatorWay(simulatorOptions) : await portWay(options, ending);
    if (transfer) await carryOver(way, transfer, log, ending);
    else await talk(way, options, log, ending);
    await way.over?.();
  } finally {
    log?.close();
  }
}

/**
 * The port to use: the one that is named, or that the environment names, or the only one with a board.
 * @throws InputError when there is no such port, or more than one
 */
export async function findPort(named: string | undefined, ending: AbortSignal): Promise<string> {
  return named ?? environmentPort(process.env) ?? choosePort(await unlessAborted(listPorts(), ending));
}

async function prepareTransfer({ fetch, send }: MonitorOptions): Promise<Transfer | undefined> {
  if (fetch !== undefined) return fetchInto(fetch);
  return send === undefined ? undefined : sendFrom(send);
}

async function carryOver(
  { name, open }: BoardLink,
  transfer: Transfer,
  log: SessionLog | undefined,
  ending: AbortSignal,
): Promise<void> {
  const connection = await unlessAborted(open(), ending);
  try {
    console.log(await carry(connection, transfer, log, ending));
  } catch (error) {
    if (!(error instanceof Lost)) throw error;
    sayLost(name);
  }
}

async function talk(
  way: BoardLink,
  options: MonitorOptions,
  log: SessionLog | undefined,
  ending: AbortSignal,
): Promise<void> {
  const { stdin, stdout } = process;
  const isAtTerminal = stdin.isTTY && stdout.isTTY;
  const lasts = options.reconnect ?? (isAtTerminal && way.isSerial);
  const isLive = isAtTerminal && process.env.TERM !== "dumb";
  const end = isLive ? await talkLive(way, lasts, log, ending) : await talkPlain(way, lasts, log, ending);
  if (end === "lost") sayLost(way.name);
}

async function talkPlain(
  { name, open }: BoardLink,
  lasts: boolean,
  log: SessionLog | undefined,
  ending: AbortSignal,
): Promise<SessionEnd> {
  const connected = (): void => {
    if (process.stderr.isTTY) console.error(`Connected to ${name}. Ctrl-C ends.`);
  };
  if (!lasts) {
    const connection = await unlessAborted(open(), ending);
    connected();
    return converse(connection, process.stdin, process.stdout, ending, log);
  }
  const waiting = (): void => console.error(`Waiting for ${name}...`);
  const connection = new ReconnectingConnection(open, { onWaiting: waiting, onConnect: connected }, ending);
  return converse(connection, process.stdin, process.stdout, ending, log);
}

async function talkLive(
  way: BoardLink,
  lasts: boolean,
  log: SessionLog | undefined,
  ending: AbortSignal,
): Promise<SessionEnd> {
  // Loaded on demand, to keep start-up fast when input or output is a pipe.
  const [drawCurve, { default: width }] = await Promise.all([loadDrawCurve(), import("string-width")]);
  const { name, open } = way;
  const listener = { onWaiting: () => session.waiting(), onConnect: () => session.connected() };
  const connection = lasts ? new ReconnectingConnection(open, listener, ending) : await unlessAborted(open(), ending);
  const session = new LiveSession(connection, name, process.stdin, process.stdout, log, { drawCurve, width });
  way.complain = (text) => session.complain(text);
  if (!lasts) session.connected();
  return session.run(ending);
}

function sayLost(name: string): void {
  console.error(`The connection to ${name} is gone.`);
  process.exitCode = EXIT_LOST;
}

function simulatorWay(options: readonly string[]): BoardLink {
  const simulator = simulate(options, (text) => way.complain?.(text));
  const over = once(simulator, "close").catch(() => undefined);
  const way: BoardLink = {
    name: "the simulator",
    open: () => Promise.resolve(simulator),
    isSerial: false,
    over: () => over,
    complain: (text) => void process.stderr.write(text),
  };
  return way;
}

async function portWay(
  { port: named, baud, reset, reconnect }: MonitorOptions,
  ending: AbortSignal,
): Promise<BoardLink> {
  const open = (port: string): Promise<Duplex> => connect({ port, baud, reset }, ending);
  const known = named ?? environmentPort(process.env);
  if (known !== undefined)
    return { name: printable(known, 200), open: () => open(known), isSerial: !/^\w+:\/\//.test(known) };
  const find = async (): Promise<string> => choosePort(await unlessAborted(listPorts(), ending));
  try {
    const port = await find();
    return { name: printable(port, 200), open: () => open(port), isSerial: true };
  } catch (error) {
    if (!(error instanceof NoBoard) || !(reconnect ?? (process.stdin.isTTY && process.stdout.isTTY))) throw error;
    const search = (): Promise<string> =>
      find().catch((error: unknown) => {
        throw error instanceof NoBoard ? new PortMissingError(error.message) : error;
      });
    return { name: "a board", open: async () => open(await search()), isSerial: true };
  }
}

/** Rejects on abort without waiting for work that cannot be cancelled. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
