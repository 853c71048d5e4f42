import type { Directory, File, Status } from "embedded:storage/files";

/** What the firmware asks the SDK's files to change; one file is written at a time, its data in base 64. */
export type FileOperation =
  | { do: "createDirectory" | "delete" | "create"; path: string }
  | { do: "write"; position: number; data: string }
  | { do: "flush" | "close" }
  | { do: "move"; from: string; to: string };

/** Files that tell what is done with them. */
export class Recording {
  readonly operations: FileOperation[] = [];
  /** The operation of this number finds the flash full. */
  failAt = Infinity;

  note(operation: FileOperation): void {
    this.operations.push(operation);
    if (this.operations.length - 1 === this.failAt) throw new Error("LFS ERR -28");
  }

  /** @param prefix of what the operations have as paths */
  of(directory: Directory, prefix = ""): Directory {
    return {
      openDirectory: ({ path }) => this.of(directory.openDirectory({ path }), `${prefix}${path}/`),
      openFile: (options) => {
        const { path, mode } = options;
        if (mode === "w") this.note({ do: "create", path: prefix + path });
        return mode === "w" ? this.ofFile(directory.openFile(options)) : directory.openFile(options);
      },
      createDirectory: (path) => {
        this.note({ do: "createDirectory", path: prefix + path });
        return directory.createDirectory(path);
      },
      delete: (path) => {
        this.note({ do: "delete", path: prefix + path });
        return directory.delete(path);
      },
      move: (from, to) => {
        this.note({ do: "move", from: prefix + from, to: prefix + to });
        directory.move(from, to);
      },
      status: (path): Status => directory.status(path),
    };
  }

  private ofFile(file: File): File {
    return {
      read: (buffer, position) => file.read(buffer, position),
      status: () => file.status(),
      write: (buffer, position) => {
        this.note({ do: "write", position, data: Buffer.from(buffer).toString("base64") });
        file.write(buffer, position);
      },
      flush: () => {
        this.note({ do: "flush" });
        file.flush();
      },
      close: () => {
        this.note({ do: "close" });
        file.close();
      },
    };
  }
}
