import { type Command, InvalidArgumentError } from "commander";
import { connect, listPorts } from "./connection";
import { choosePort } from "./ports";
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
export function addMonitor(program: Command, _ending: AbortSignal): void {
  program
    .command("monitor")
    .description("show what a board says, and send it what is typed")
    .option("--port <port>", "serial port, or tcp://host:port (default: the one with a board)")
    .option("--baud <rate>", "speed of the serial port", parseBaud, 115200)
    .option("--reset", "restart the board", false)
    .option("--which", "print which port it would be, and end", false)
    .action(monitor);
}

function parseBaud(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(text);
}

async function monitor({ port: named, baud, reset, which }: MonitorOptions): Promise<void> {
  const port = named ?? choosePort(await listPorts());
  if (which) {
    console.log(port);
    return;
  }
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  process.on("SIGINT", stop);
  try {
    const connection = await connect({ port, baud, reset });
    if (process.stderr.isTTY) console.error(`Connected to ${port}. Ctrl-C ends.`);
    const end = await converse(connection, process.stdin, process.stdout, stopping.signal);
    if (end === "lost") {
      console.error(`The connection to ${port} is gone.`);
      process.exitCode = EXIT_LOST;
    }
  } finally {
    process.off("SIGINT", stop);
  }
}
