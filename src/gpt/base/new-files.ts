import { InputError, printablePath } from "./errors";
import type { NewFile } from "./platform";

/** Files that are being written, at most one of each name: beginning a second one aborts the first. */
export class NewFiles {
  private readonly open = new Map<string, NewFile>();

  /** @param make creates the file; it is called once the previous one of that name has been aborted */
  begin(name: string, make: () => NewFile): NewFile {
    this.open.get(name)?.abort();
    const file = make();
    const end = (): void => {
      if (this.open.get(name) === guarded) this.open.delete(name);
    };
    const checkOpen = (): void => {
      if (this.open.get(name) !== guarded) throw new InputError(`Cannot write ${printablePath(name)}: it is closed.`);
    };
    const guarded: NewFile = {
      write(bytes) {
        checkOpen();
        file.write(bytes);
      },
      async commit() {
        checkOpen();
        end();
        await file.commit();
      },
      abort: () => {
        if (this.open.get(name) !== guarded) return;
        end();
        file.abort();
      },
    };
    this.open.set(name, guarded);
    return guarded;
  }

  /** Aborts all of them. */
  abort(): void {
    for (const file of [...this.open.values()]) file.abort();
  }
}
