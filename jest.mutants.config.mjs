import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import quick from "./jest.quick.config.mjs";

// npm run test:mutants: of the tests of jest.quick.config.mjs, and of others that are in memory or mostly so, those that
// import the room in MUTANTS_ROOM. Every test imports gpt: for it, the short ones that stay below client.

const ROOT = fileURLToPath(new URL(".", import.meta.url));
const LONGER = ["device", "device-races", "protocol/device"];
const OTHERS = [
  ...["canonical", "eval", "keep-best", "list-check", "long-documents", "not-learning", "origin", "own-words", "plan"],
  ...["resume", "scan", "text"],
];
/** How the names of those tests begin that start a program nevertheless. */
const STARTS_PROGRAM = [
  ...["the command line", "on (node|xs) ", ".*exit code", "XS, which need not", "the total of", "esp32gpt plan"],
  ...["an odd list is taken, and told once (?!by a device)", "a board learns", "with console, storage", "gpt_text.c"],
  "ESLint holds",
];
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
  const isBelow = !rooms.some((name) => name === "client" || name === "firmware");
  return rooms.includes(room) && (room !== "gpt" || (isBelow && !LONGER.some((name) => pattern.includes(`/${name}.`))));
}

/** @type {import("jest").Config} */
export default {
  ...quick,
  testMatch: [
    ...(quick.testMatch ?? []),
    ...[...LONGER, ...OTHERS].map((name) => `<rootDir>/test/${name}.test.ts`),
  ].filter(isOfRoom),
  testNamePattern: `^(?!${STARTS_PROGRAM.join("|")})`,
  runner: "<rootDir>/scripts/first-failure.mjs",
  // A test that fails is not tried again.
  setupFilesAfterEnv: [],
  watchman: false,
};
