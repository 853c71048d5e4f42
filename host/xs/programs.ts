import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Finds a program on PATH, as a shell does; undefined if it is not found. */
export function findProgram(name: string): string | undefined {
  const endings = process.platform === "win32" ? ["", ".exe", ".cmd"] : [""];
  const folders = /[/\\]/.test(name) ? [""] : (process.env.PATH ?? "").split(delimiter);
  for (const folder of folders) {
    for (const ending of endings) {
      const file = join(folder, name + ending);
      try {
        accessSync(file, constants.X_OK);
        return file;
      } catch {
        // Not in this folder.
      }
    }
  }
  return undefined;
}
