import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "../helpers";

/** The manifests of the firmware, and the files behind each module that they have. */
export function firmwareManifests(): { readonly file: string; readonly modules: Record<string, string[]> }[] {
  const script = join(ROOT, "scripts", "preload.mjs");
  return JSON.parse(execFileSync(process.execPath, [script, "--list"], { encoding: "utf8" })) as ReturnType<
    typeof firmwareManifests
  >;
}
