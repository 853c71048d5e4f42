import { COMMANDS } from "../src/device/commands/table";
import { MAX_WAITING_COMMANDS, tagCommand } from "../src/protocol/lines";
import { outcomeOf, start } from "./support/cli";
import { skipUnless } from "./support/skipping";
import { ALL_LETTERS, TestDevice } from "./support/test-device";
import { MemoryStorage } from "./support/memory-storage";
import { makes32Bits } from "./support/xs";

/* A hundred of each command, while nobody reads what is said; ESP32GPT_FLOOD=1000 for as many. */

const TIMES = Number(process.env.ESP32GPT_FLOOD ?? 100);
/** A board takes 200 lines a second. */
const SLOWER = process.env.ESP32GPT_FLOOD === undefined ? 10 : 1;
const ARGUMENTS: Readonly<Record<string, string>> = {
  add: "venus",
  forget: "venus",
  "set log": "text",
  chunk: "0 4",
  receive: "600",
  data: `0 ${"QUJD".repeat(20)}`,
};
const LINES = COMMANDS.filter(({ name }) => name !== "reboot").map(({ name }) =>
  `${name} ${ARGUMENTS[name] ?? ""}`.trim(),
);

test.each(LINES)("%s: at most eight wait, and when somebody reads again all is well", async (line) => {
  let isRead = true;
  const settings = { n_embd: 4, n_head: 1, steps: 10, samples: 0, save_every: 0 };
  const device = new TestDevice(settings, new MemoryStorage(), { ...ALL_LETTERS, canWrite: () => isRead });
  await device.live();
  for (const word of ["mars", "titan", "io"]) await device.answer(`add ${word}`);
  for (const isJson of [false, true]) {
    if (isJson) await device.answer("set log json");
    isRead = false;
    for (let i = 0; i < TIMES; i++) {
      device.type(`${isJson ? tagCommand(1 + i, line) : line}\n`);
      if (i % 4 === 3) await device.live(1);
      expect(device.console?.waitingCount).toBeLessThanOrEqual(MAX_WAITING_COMMANDS);
    }
    expect(device.console?.rememberedCount).toBeLessThanOrEqual(8 + 3 * MAX_WAITING_COMMANDS);
    isRead = true;
    // A stream ends for the one that waits behind it, and the last for a key.
    for (let i = 0; i <= MAX_WAITING_COMMANDS; i++) await device.answer("stop", 20);
    await device.live();
    await device.answer("set log text");
    expect(await device.answer("help")).toMatch(/^status/);
  }
});

const { test: test32 } = skipUnless(makes32Bits(), "the heap of a board that is flooded, which needs gcc-multilib");

test32(
  "on XS the heap stays what was planned, and the board answers when its output is read again",
  async () => {
    const board = start("simulate", "--engine", "xs", "--xs-bits", "32", "--stats", "steps=1000000", "save_every=0");
    await new Promise((resolve) => board.stdout.once("data", resolve));
    board.stdout.pause();
    const write = async (text: string): Promise<void> => {
      if (!board.stdin.write(text)) await new Promise((resolve) => board.stdin.once("drain", resolve));
    };
    for (let i = 0; i < 40; i++)
      await write(`add ${"abcdefghij"[i % 10].repeat(3)}${"klmnopqrst"[i % 7].repeat(12)}\n`);
    const times = Math.ceil(TIMES / SLOWER);
    for (const [k, line] of LINES.entries()) {
      await write(`${line}\n`.repeat(times));
      for (let i = 0; i < times; i++) await write(`${tagCommand(1 + ((k * times + i) % 65535), line)}\n`);
    }
    let said = "";
    board.stdout.on("data", (text: Buffer) => (said = (said + String(text)).slice(-5000)));
    board.stdout.resume();
    while (!/^Version/m.test(said)) {
      await write("stop\nset log text\nversion\n");
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    board.stdin.end();
    const { code, stderr } = await outcomeOf(board);
    expect(code).toBe(0);
    const { heap } = JSON.parse(stderr.trim().split("\n").at(-1) ?? "") as {
      heap: { peak: number; usedSlots: number };
    };
    console.info(heap);
    expect(heap.peak).toBeLessThan(180_000);
  },
  600_000,
);
