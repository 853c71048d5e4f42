import { spawn } from "node:child_process";
import { Duplex } from "node:stream";
import { InputError } from "../../src/gpt/base/errors";

/** How long a simulator may take to exit after SIGTERM, in milliseconds. */
const STOP_TIMEOUT_MS = 1000;

/**
 * Starts the device simulator, `esp32gpt simulate`, as a child process; its standard input and output are the serial
 * port.
 * @param options command-line options of the simulator
 * @param complain receives its standard error
 */
export function simulate(options: readonly string[], complain: (text: string) => void): Duplex {
  const [, program] = process.argv;
  if (program === undefined) throw new Error("The simulator is a command of this program, which has no file");
  const child = spawn(process.execPath, [program, "simulate", ...options], { stdio: "pipe" });
  const board = new Duplex({
    // After the simulator has exited nothing can be sent.
    allowHalfOpen: false,
    read: () => void child.stdout.resume(),
    write: (bytes: Uint8Array, _encoding, done) => void child.stdin.write(bytes, () => done()),
    final(done) {
      child.stdin.end();
      done();
    },
    destroy(error, done) {
      // SIGTERM lets it exit in order, with complete files in its storage.
      if (hasEnded()) {
        done(error);
        return;
      }
      const kill = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
      child.once("exit", () => {
        clearTimeout(kill);
        done(error);
      });
      child.stdin.end();
      child.kill("SIGTERM");
    },
  });
  const hasEnded = (): boolean => child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
  child.stdout.on("data", (bytes: Uint8Array) => {
    if (!board.push(bytes)) child.stdout.pause();
  });
  child.stderr.setEncoding("utf8").on("data", complain);
  child.stdin.on("error", () => undefined);
  child.on("error", (error) => board.destroy(new InputError(`The simulator cannot be started: ${error.message}.`)));
  child.stdout.on("end", () => board.push(null));
  return board;
}
