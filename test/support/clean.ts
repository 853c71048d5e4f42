import { rmSync } from "node:fs";
import { SHARED_FOLDER } from "./build";

/** After all tests. */
export default function clean(): void {
  const shared = process.env[SHARED_FOLDER];
  if (shared !== undefined) rmSync(shared, { recursive: true, force: true });
}
