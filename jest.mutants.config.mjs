import quick from "./jest.quick.config.mjs";

// npm run test:mutants: the tests of jest.quick.config.mjs, and longer ones of the device program that are in memory.

const LONGER = ["device", "device-races", "protocol/device", "resume"];

/** @type {import("jest").Config} */
export default {
  ...quick,
  testMatch: [...(quick.testMatch ?? []), ...LONGER.map((name) => `<rootDir>/test/${name}.test.ts`)],
  runner: "<rootDir>/scripts/first-failure.mjs",
  // A mutant must not be tried again, nor keep a test waiting for a minute.
  setupFilesAfterEnv: [],
  testTimeout: 10_000,
  watchman: false,
};
