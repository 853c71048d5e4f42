import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import quick from "./jest.quick.config.mjs";

// npm run test:mutants: of the tests of jest.quick.config.mjs, and of others that are in memory or mostly so, those that
// import the room in MUTANTS_ROOM. Every test imports gpt: for it, those that stay below device and client.

const ROOT = fileURLToPath(new URL(".", import.meta.url));
const LONGER = ["device", "device-races", "protocol/device", "resume"];
/** Files with tests that start a program as well, and the names of these. */
const MIXED = ["eval", "keep-best", "not-learning", "origin"];
const STARTS_PROGRAM = "the command line|on (node|xs) |.*exit code";
const room = process.env.MUTANTS_ROOM ?? "gpt";

/**
 * The folders of src/ that a file of test/ imports from, itself or through others of test/.
 * @param {string} file
 * @param {Set<string>} seen files
 * @returns {string[]}
 */
function roomsOf(file, seen = new Set()) {
  if (seen.has(file)) return [];
  seen.add(file);
  const names = [...readFileSync(file, "utf8").matchAll(/ from "(\..*)";$/gm)].map(([, name]) => name);
  return names.flatMap((name) => {
    const path = join(dirname(file), name).slice(ROOT.length);
    return path.startsWith("test/") ? roomsOf(join(ROOT, `${path}.ts`), seen) : path.split("/").slice(1, 2);
  });
}

/** @param {string} pattern */
function isOfRoom(pattern) {
  const rooms = roomsOf(pattern.replace("<rootDir>/", ROOT));
  if (room === "gpt") return rooms.includes(room) && !rooms.some((name) => /^(device|client|firmware)$/.test(name));
  return rooms.includes(room);
}

/** @type {import("jest").Config} */
export default {
  ...quick,
  testMatch: [
    ...(quick.testMatch ?? []),
    ...[...LONGER, ...MIXED].map((name) => `<rootDir>/test/${name}.test.ts`),
  ].filter(isOfRoom),
  testNamePattern: `^(?!${STARTS_PROGRAM})`,
  runner: "<rootDir>/scripts/first-failure.mjs",
  // A test that fails is not tried again.
  setupFilesAfterEnv: [],
  watchman: false,
};
