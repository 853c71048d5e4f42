/** @type {import("jest").Config} */
export default {
  testEnvironment: "node",
  roots: ["<rootDir>/test"],
  globalSetup: "<rootDir>/test/support/build.ts",
  maxWorkers: "100%",
  // The programs that the tests start may have to share the machine.
  testTimeout: 60_000,
  // The firmware's edge runs on a board that is none.
  moduleNameMapper: {
    "^gpt/device$": "<rootDir>/test/support/moddable/device.ts",
    "^mc/config$": "<rootDir>/test/support/moddable/config.ts",
    "^(timer|time|modules)$": "<rootDir>/test/support/moddable/$1.ts",
    "^Resource$": "<rootDir>/test/support/moddable/resource.ts",
  },
  transform: { "^.+\\.ts$": ["ts-jest", { tsconfig: "test/tsconfig.json" }] },
};
