import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** The file that a shell would start; undefined when there is none. */
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
        // Perhaps in the next one.
      }
    }
  }
  return undefined;
}
