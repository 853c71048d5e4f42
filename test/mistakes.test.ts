import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { NodeBoard } from "../host/simulator/node-board";
import main from "../src/firmware/main";
import { Adam } from "../src/gpt/training/adam";
import { CheckpointStore } from "../src/device/checkpoint-store";
import { unattended } from "../src/gpt/base/unattended";
import { NAMES_FILE, ROOT } from "./helpers";
import { outcomeOf, temporaryFolder } from "./support/cli";
import { board } from "./support/moddable/board";
import { bundle, hostExecutable, startHost } from "./support/xs";

/* A mistake in the program, put into Adam, is told at once on each place: nothing swallows it. */

const at = temporaryFolder();
const MISTAKE = "a mistake in Adam";

afterEach(() => jest.restoreAllMocks());

function makeMistake(): void {
  jest.spyOn(Adam.prototype, "update").mockImplementation(() => {
    throw new TypeError(MISTAKE);
  });
}

test("a promise that nobody waits for is thrown from the event loop, and only when it is rejected", async () => {
  const scheduled: (() => void)[] = [];
  const clock = { schedule: (slice: () => void) => void scheduled.push(slice) };
  unattended(Promise.resolve(1), clock);
  unattended(Promise.reject(new TypeError(MISTAKE)), clock);
  await new Promise(setImmediate);
  expect(scheduled).toHaveLength(1);
  expect(scheduled[0]).toThrow(new TypeError(MISTAKE));
});

test("on the chip: from a timer, so that XS calls the abort hook, which says why it restarts", async () => {
  board.reset();
  board.settings = { ops: "typescript", steps: "3", samples: "2" };
  makeMistake();
  main();
  await expect(board.live(1000)).rejects.toThrow(new TypeError(MISTAKE));
});

test("on the chip: of a save that no command waits for", async () => {
  board.reset();
  board.fifoSize = 128;
  board.settings = { ops: "typescript", steps: "3", samples: "0" };
  main();
  await board.live(1000);
  jest.spyOn(CheckpointStore.prototype, "saveOrSay").mockRejectedValue(new TypeError(MISTAKE));
  board.type("add emil\r");
  await expect(board.live(1000)).rejects.toThrow(new TypeError(MISTAKE));
});

test("in the simulator on Node: its life ends with it", async () => {
  makeMistake();
  const folder = at("node-board");
  mkdirSync(folder, { recursive: true });
  const ignore = (): void => undefined;
  const list = { namesFile: NAMES_FILE, namesName: "names.txt" };
  const node = new NodeBoard({ ...list, folder, settings: { steps: "3" }, dtype: "f32", usage: ignore });
  await expect(node.live()).rejects.toThrow(new TypeError(MISTAKE));
  node.switchOff();
});

test("in the simulator on XS: the process ends, and shows the stack", async () => {
  await bundle(join(ROOT, "test", "support", "mistaken-board.ts"), at("board.js"));
  const request = JSON.stringify({
    settings: { steps: "3" },
    namesFile: "names.txt",
    folder: at("."),
    memory: { total: 280_000, largestPiece: 180_000 },
  });
  const child = startHost(await hostExecutable("chip"), at("board.js"), {
    options: ["--preload", "--names", NAMES_FILE, "--request", request],
  });
  // Its input stays open, as it ends with that.
  child.stdin.write("\n");
  const { code, stderr } = await outcomeOf(child);
  expect([code, stderr]).toEqual([70, expect.stringMatching(/TypeError: .*a mistake in Adam[^]*at .*/)]);
});
