/** Receives notice when a shell suspends this process (Ctrl-Z) and continues it (fg, bg). */
export interface Suspendable {
  /** The process is about to stop. */
  suspend(): void;
  /** The process continues, possibly after a SIGSTOP, which comes without notice. */
  resume(): void;
}

/** The kernel does not stop an orphaned process group: continue after this many milliseconds. */
const NOT_STOPPED_MS = 100;

const members = new Set<Suspendable>();
let isSuspending = false;
let timer: NodeJS.Timeout | undefined;

/**
 * Registers a member.
 * @returns a function that unregisters it
 */
export function followSuspension(member: Suspendable): () => void {
  // Windows has no job control.
  if (process.platform === "win32") return () => undefined;
  if (members.size === 0) process.on("SIGTSTP", suspend).on("SIGCONT", resume);
  members.add(member);
  return () => {
    members.delete(member);
    if (members.size === 0) process.off("SIGTSTP", suspend).off("SIGCONT", resume);
  };
}

/** Suspends the whole process group, as Ctrl-Z does; for a terminal in raw mode, where Ctrl-Z is a key. */
export function suspendJob(): void {
  process.kill(0, "SIGTSTP");
}

/**
 * Shows a hidden cursor while the process is suspended.
 * @returns a function that ends this
 */
export function showCursorWhileSuspended(stream: NodeJS.WriteStream): () => void {
  return followSuspension({
    suspend: () => void stream.write("\x1b[?25h"),
    resume: () => void stream.write("\x1b[?25l"),
  });
}

function suspend(): void {
  if (isSuspending) return;
  isSuspending = true;
  for (const member of members) member.suspend();
  // Without a listener the signal has its default action: it stops the process.
  process.off("SIGTSTP", suspend);
  process.kill(process.pid, "SIGTSTP");
  timer = setTimeout(resume, NOT_STOPPED_MS);
}

function resume(): void {
  clearTimeout(timer);
  if (isSuspending && members.size > 0) process.on("SIGTSTP", suspend);
  isSuspending = false;
  for (const member of members) member.resume();
}
