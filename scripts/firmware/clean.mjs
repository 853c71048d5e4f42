// npm run clean: removes all build output, including that of a manually started mcconfig. (`mcconfig -t clean` would
// also remove the SDK's objects of every other project.)
import { existsSync, readdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { main, ROOT } from "./command.mjs";
import { NAME } from "./sdk.mjs";

const KINDS = ["release", "debug", "instrument"];

await main("clean", "Removes dist/, build/ and the output of mcconfig for this project.", (command) => {
  command.action(() => {
    for (const folder of ["dist", "build"]) remove(join(ROOT, folder));
    const { MODDABLE } = process.env;
    if (!MODDABLE) return;
    for (const outputs of ["bin", "tmp"]) removeOurs(join(MODDABLE, "build", outputs), 0);
  });
});

/**
 * Removes platform/kind/NAME and platform/board/kind/NAME.
 * @param {string} folder
 * @param {number} depth
 */
function removeOurs(folder, depth) {
  if (KINDS.includes(basename(folder))) {
    if (existsSync(join(folder, NAME))) remove(join(folder, NAME));
  } else if (depth < 3 && existsSync(folder)) {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isDirectory()) removeOurs(join(folder, entry.name), depth + 1);
    }
  }
}

/** @param {string} folder */
function remove(folder) {
  rmSync(folder, { recursive: true, force: true });
}
