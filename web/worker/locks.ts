/* Web Locks, by which tabs and workers know of each other's end. Only secure contexts have them: https and localhost. */

const locks = (navigator as Partial<Navigator>).locks;

/** Resolves when this context holds a lock, which it does until it ends; at once where there are no locks. */
export function hold(name: string): Promise<void> {
  return new Promise((held) => {
    const forever = (): Promise<never> => {
      held();
      return new Promise(() => undefined);
    };
    if (!locks) held();
    // Some contexts are denied locks.
    else locks.request(name, forever).catch(held);
  });
}

/** Calls back when the context that holds a lock has ended; never where there are no locks. */
export function onEnd(name: string, ended: () => void): void {
  locks?.request(name, ended).catch(() => undefined);
}

/** A lock that can be released. */
export interface Lock {
  /** Whether another context had to release it first. */
  readonly wasHeld: boolean;
  readonly release: () => void;
}

/**
 * Takes a lock, also from a context that does not release it in time.
 * @param ask asks its holder, if there is one, to release it
 * @param lost called when another context has taken it
 * @param patience in milliseconds
 */
export async function take(name: string, ask: () => void, lost: () => void, patience: number): Promise<Lock> {
  const request = (options: LockOptions): Promise<(() => void) | undefined> =>
    new Promise((taken) => {
      const keep = (lock: unknown): Promise<void> | undefined => {
        if (lock !== null) return new Promise((release) => taken(release));
        taken(undefined);
        return undefined;
      };
      let isTaken = false;
      const failed = (): void => {
        if (isTaken) lost();
        taken(undefined);
      };
      locks
        ?.request(name, options, (lock) => {
          isTaken = lock !== null;
          return keep(lock);
        })
        .catch(failed);
      if (!locks) taken(undefined);
    });
  const free = await request({ ifAvailable: true });
  if (free) return { wasHeld: false, release: free };
  ask();
  const release =
    (await request({ signal: AbortSignal.timeout(patience) })) ??
    (await request({ steal: true })) ??
    ((): void => undefined);
  return { wasHeld: locks !== undefined, release };
}
