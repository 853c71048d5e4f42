import { availableParallelism } from "node:os";

/** @type {import("jest").Config} */
export default {
  testEnvironment: "node",
  roots: ["<rootDir>/test"],
  globalSetup: "<rootDir>/test/support/build.ts",
  globalTeardown: "<rootDir>/test/support/clean.ts",
  setupFilesAfterEnv: ["<rootDir>/test/support/retries.ts"],
  // Many tests wait for a program or a browser: one worker more than there are cores.
  maxWorkers: availableParallelism() + 1,
  testSequencer: "<rootDir>/test/support/longest-first.mjs",
  // The programs that the tests start may have to share the machine.
  testTimeout: 60_000,
  // The firmware's edge runs on a board that is none.
  moduleNameMapper: {
    "^esp32gpt/chip$": "<rootDir>/test/support/moddable/device.ts",
    "^mc/config$": "<rootDir>/test/support/moddable/config.ts",
    "^(timer|time|modules)$": "<rootDir>/test/support/moddable/$1.ts",
    "^Resource$": "<rootDir>/test/support/moddable/resource.ts",
  },
  // Types are checked by npm run typecheck.
  transform: {
    "^.+\\.ts$": ["@swc/jest", { jsc: { parser: { syntax: "typescript" }, target: "es2023" }, sourceMaps: "inline" }],
  },
};
