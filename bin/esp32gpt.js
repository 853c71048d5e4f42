#!/usr/bin/env node
// Starts the command line. A checkout has no dist/ at first, and an old one after a change: then this
// builds it. The published package comes with dist/ and without the scripts.
import { existsSync } from "node:fs";

const script = new URL("../scripts/build.mjs", import.meta.url);
if (existsSync(script)) {
  const { build } = await import(script.href);
  await build();
}

const program = new URL("../dist/cli.js", import.meta.url);
if (existsSync(program)) {
  /** @type {{ main(): Promise<never> }} */
  const { main } = await import(program.href);
  await main();
} else {
  console.error("esp32gpt: This package was packed without a build: `npm run build`, then `npm pack` once more.");
  process.exitCode = 2;
}
