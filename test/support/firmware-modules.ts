import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "../helpers";

interface ListedManifest {
  readonly file: string;
  /** The files behind each module. */
  readonly modules: Record<string, string[]>;
}

/** The manifests of the firmware. */
export function firmwareManifests(): ListedManifest[] {
  return listed("--list");
}

/** The manifests that an app on Moddable includes. */
export function libraryManifests(): ListedManifest[] {
  return listed("--list-library");
}

function listed(option: string): ListedManifest[] {
  const script = join(ROOT, "scripts", "preload.mjs");
  return JSON.parse(execFileSync(process.execPath, [script, option], { encoding: "utf8" })) as ListedManifest[];
}
