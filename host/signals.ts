/** Exit codes as shells have them for a program that a signal has ended. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** Why an AbortSignal was aborted: somebody wants the program to end. */
export class Interruption extends Error {
  constructor(readonly exitCode: number) {
    super("The program was asked to end.");
  }
}

/**
 * Does `work`, and asks it to end, by the signal it is given, when this process gets SIGINT, SIGTERM or
 * SIGHUP. The second one ends the process at once.
 * @returns the exit code of the signal, or undefined when none has come
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
    // What was under way may end in any way when it is asked to.
    if (!signal.aborted || !isAbort(error, signal)) throw error;
  } finally {
    for (const name of names) process.off(name, interrupt);
  }
  return signal.aborted ? (signal.reason as Interruption).exitCode : undefined;
}

function isAbort(error: unknown, signal: AbortSignal): boolean {
  return error === signal.reason || (error instanceof Error && error.name === "AbortError");
}
