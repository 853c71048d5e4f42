import { type Command, InvalidArgumentError } from "commander";
import { printable } from "../../src/errors";
import { connect, listPorts } from "./connection";
import { type Choice, choosePort, environmentPort } from "./ports";
import { converse } from "./terminal";

/** The port went away. */
const EXIT_LOST = 1;

interface MonitorOptions {
  port?: string;
  baud: number;
  reset: boolean;
  which: boolean;
}

/** Adds the serial monitor to the command line. */
export function addMonitor(program: Command, ending: AbortSignal): void {
  program
    .command("monitor")
    .description("show what a board says, and send it what is typed")
    .option(
      "--port <port>",
      "serial port, tcp://host:port or rfc2217://host:port (default: $UPLOAD_PORT, $ESPTOOL_PORT, or the one with a board)",
    )
    .option("--baud <rate>", "speed of the serial port", parseBaud, 115200)
    .option("--reset", "restart the board", false)
    .option("--which", "print which port it would be, and end", false)
    .action((options: MonitorOptions) => monitor(options, ending));
}

function parseBaud(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(text);
}

/**
 * @param ending asks it to end
 * @throws InputError when there is no port, it cannot be opened, or the output cannot be written
 */
export async function monitor({ port: named, baud, reset, which }: MonitorOptions, ending: AbortSignal): Promise<void> {
  const { port, remark } = await unlessAborted(findPort(named), ending);
  if (remark !== undefined) console.error(remark);
  if (which) {
    console.log(port);
    return;
  }
  const connection = await unlessAborted(connect({ port, baud, reset }, ending), ending);
  const name = printable(port, 200);
  if (process.stderr.isTTY) console.error(`Connected to ${name}. Ctrl-C ends.`);
  const end = await converse(connection, process.stdin, process.stdout, ending);
  if (end === "lost") {
    console.error(`The connection to ${name} is gone.`);
    process.exitCode = EXIT_LOST;
  }
}

async function findPort(named = environmentPort(process.env)): Promise<Choice> {
  return named === undefined ? choosePort(await listPorts()) : { port: named };
}

/** What cannot be interrupted is left behind. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
