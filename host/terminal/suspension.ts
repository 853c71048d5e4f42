/** Who follows when a shell suspends this process (Ctrl-Z) and continues it (fg, bg). */
export interface Suspendable {
  /** The process is about to be stopped. */
  suspend(): void;
  /** It goes on: also after a SIGSTOP, which nobody is told of before. */
  resume(): void;
}

/** A process of a group that no shell watches over is not stopped: it goes on after so many milliseconds. */
const NOT_STOPPED_MS = 100;

const members = new Set<Suspendable>();
let isSuspending = false;
let timer: NodeJS.Timeout | undefined;

/** @returns what ends it */
export function followSuspension(member: Suspendable): () => void {
  // There is nothing of the kind on Windows.
  if (process.platform === "win32") return () => undefined;
  if (members.size === 0) process.on("SIGTSTP", suspend).on("SIGCONT", resume);
  members.add(member);
  return () => {
    members.delete(member);
    if (members.size === 0) process.off("SIGTSTP", suspend).off("SIGCONT", resume);
  };
}

/** What Ctrl-Z does where the terminal hands it over as a key: the whole job is suspended, with what has started it. */
export function suspendJob(): void {
  process.kill(0, "SIGTSTP");
}

/** Shows the cursor of a terminal, where it is hidden, while the process is suspended. @returns what ends it */
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
  // Without a listener the signal does what it is for.
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
