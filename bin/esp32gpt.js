#!/usr/bin/env node
// Starts the command line. A checkout has no dist/ at first, and an old one after a change: then this
// builds it. The published package comes with dist/ and without the scripts.
import { existsSync } from "node:fs";

const script = new URL("../scripts/build.mjs", import.meta.url);
if (existsSync(script)) {
  const { build } = await import(script.href);
  await build();
}

/** @type {{ main(): Promise<void> }} */
const { main } = await import(new URL("../dist/cli.js", import.meta.url).href);
await main();
