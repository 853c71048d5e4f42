/** 128 + the signal's number, as shells report it. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** The reason of an AbortSignal that aborts because of a POSIX signal. */
export class Interruption extends Error {
  constructor(readonly exitCode: number) {
    super("The program was asked to end.");
  }
}

/**
 * Runs `work`. On the first SIGINT, SIGTERM or SIGHUP its AbortSignal aborts; on the second the process exits at
 * once.
 * @returns the exit code of the signal, or undefined if there was none
 */
export async function untilSignal(work: (ending: AbortSignal) => Promise<void>): Promise<number | undefined> {
  const controller = new AbortController();
  const { signal } = controller;
  const interrupt = (name: NodeJS.Signals): void => {
    const exitCode = EXIT_CODES[name as keyof typeof EXIT_CODES];
    if (signal.aborted) process.exit(exitCode);
    controller.abort(new Interruption(exitCode));
  };
  const names = Object.keys(EXIT_CODES) as NodeJS.Signals[];
  for (const name of names) process.on(name, interrupt);
  try {
    await work(signal);
  } catch (error) {
    // Aborted operations reject with various errors.
    if (!signal.aborted || !isAbort(error, signal)) throw error;
  } finally {
    for (const name of names) process.off(name, interrupt);
  }
  return signal.aborted ? (signal.reason as Interruption).exitCode : undefined;
}

function isAbort(error: unknown, signal: AbortSignal): boolean {
  return error === signal.reason || (error instanceof Error && error.name === "AbortError");
}
