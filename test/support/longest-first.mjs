import { join } from "node:path";
import Sequencer from "@jest/test-sequencer";

/** Test files that take longest: they begin, lest one of them is left in the end and the other cores wait for it. */
const LONG = [
  "page/training",
  "build",
  "resumed-records",
  "native-ops",
  "i32-native",
  "i32",
  "i32-traces",
  "page/flash",
  "page/board",
  "page/page",
  "xs",
  "arguments",
  "simulator-streams",
  "monitor-pipe",
  "littlefs",
  "soak",
  "cli-errors",
  "kills",
  "forms",
  "page/inside",
  "eval",
  "docs-commands",
  "alphabet",
  "protocol/pace",
  "monitor-live",
  "monitor",
  "scan",
  "text",
  "device",
  "files",
  "monitor-simulator",
  "xs-streams",
  "hostile-boots",
  "xs-errors",
  "firmware-scripts",
  "firmware-device",
  "protocol/device",
  "keep-best",
  "fuzz-pastes",
  "fuzz-device",
  "resume",
  "device-races",
];

/** @param {string} path of a test file */
function rankOf(path) {
  const rank = LONG.findIndex((name) => path.endsWith(join("test", `${name}.test.ts`)));
  return rank < 0 ? LONG.length : rank;
}

/** @param {string} path of a test file */
export function isLong(path) {
  return rankOf(path) < LONG.length;
}

export default class LongestFirst extends Sequencer {
  /**
   * @override
   * @param {Parameters<Sequencer["sort"]>[0]} tests
   */
  async sort(tests) {
    return (await super.sort(tests)).toSorted((a, b) => rankOf(a.path) - rankOf(b.path));
  }
}
