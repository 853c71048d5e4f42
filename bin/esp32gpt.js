#!/usr/bin/env node
// Starts the command line. In a checkout dist/ may be missing or out of date, so build it if necessary. The published
// package contains dist/, but not the scripts. This folder is CommonJS, which Node starts faster than ES modules.
const { existsSync } = require("node:fs");
const { join } = require("node:path");
const { load } = require("./compiled.js");

const ROOT = join(__dirname, "..");

void start();

async function start() {
  const check = join(ROOT, "scripts", "built.cjs");
  if (existsSync(check) && !require(check).isBuilt()) {
    const { build } = await import("../scripts/build.mjs");
    await build();
  }
  const program = join(ROOT, "dist", "cli.cjs");
  if (existsSync(program)) {
    const { main } = /** @type {{ main(): Promise<never> }} */ (load(program, join(ROOT, "build", "node")));
    await main();
  } else {
    console.error("esp32gpt: This package was packed without a build: run `npm run build`, then `npm pack` again.");
    process.exitCode = 2;
  }
}
