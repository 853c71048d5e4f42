import { availableParallelism } from "node:os";

/** @type {import("jest").Config} */
export default {
  testEnvironment: "node",
  roots: ["<rootDir>/test"],
  globalSetup: "<rootDir>/test/support/build.ts",
  globalTeardown: "<rootDir>/test/support/clean.ts",
  setupFilesAfterEnv: ["<rootDir>/test/support/retries.ts"],
  // Many tests wait for a child process or a browser, so use one worker more than there are cores.
  maxWorkers: availableParallelism() + 1,
  testSequencer: "<rootDir>/test/support/longest-first.mjs",
  // Child processes may be slow when they share the machine.
  testTimeout: 60_000,
  // The package, as the examples import it, and mocks of the Moddable modules that the firmware imports.
  moduleNameMapper: {
    "^esp32gpt$": "<rootDir>/src/gpt/index.ts",
    "^esp32gpt/platform$": "<rootDir>/src/places/node/index.ts",
    "^esp32gpt/chip$": "<rootDir>/test/support/moddable/device.ts",
    "^mc/config$": "<rootDir>/test/support/moddable/config.ts",
    "^(timer|time|modules)$": "<rootDir>/test/support/moddable/$1.ts",
    "^Resource$": "<rootDir>/test/support/moddable/resource.ts",
  },
  // npm run typecheck checks the types.
  transform: {
    "^.+\\.ts$": ["@swc/jest", { jsc: { parser: { syntax: "typescript" }, target: "es2023" }, sourceMaps: "inline" }],
  },
};
