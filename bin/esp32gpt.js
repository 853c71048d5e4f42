#!/usr/bin/env node
// Starts the command line. In a checkout dist/ may be missing or out of date, so build it if necessary. The published
// package contains dist/, but not the scripts.
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
  console.error("esp32gpt: This package was packed without a build: run `npm run build`, then `npm pack` again.");
  process.exitCode = 2;
}
