import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { STORED } from "../src/device/checkpoint-files";
import { tagCommand } from "../src/protocol/lines";
import { utf8 } from "./helpers";
import { rewritten } from "./support/altered-checkpoints";
import { newFolder, outcomeOf, start, temporaryFolder } from "./support/cli";
import { fuzzRandom, HOSTILE, mutated, pick } from "./support/fuzz";

/* A board on XS, under the sanitizers where these are asked for, that finds an altered checkpoint and gets any lines. */

const at = temporaryFolder();
/** As many as XS, which is slow to start, takes in a moment: ESP32GPT_FUZZ_BOARDS says otherwise. */
const BOARDS = Number(process.env.ESP32GPT_FUZZ_BOARDS ?? 4);
const LINES = 150;
const SETTINGS = ["steps=200", "n_embd=4", "n_head=2", "samples=1", "save_every=0.05"];
const COMMANDS = [
  ...["status", "generate 2 0.5 em", "stream", "words", "eval words", "plan", "help", "add venus", "forget venus"],
  ...[
    "train 50",
    "pause",
    "step 2",
    "resume",
    "load",
    "save",
    "reset",
    "set log json",
    "set log text",
    "set own_share 0.5",
  ],
  ...[
    "fetch",
    "chunk 0 4",
    "chunk 768 4",
    "fetched",
    "receive 60",
    `data 0 ${"QUJD".repeat(20)}`,
    "received",
    "cancel",
  ],
  ...["stop", "version"],
];

test("it ends in order", async () => {
  const random = fuzzRandom();
  const flash = newFolder(at("sound"));
  const first = start("simulate", "--engine", "xs", "--storage", flash, ...SETTINGS);
  first.stdout.on("data", (text: Buffer) => String(text).includes("=== Done") && first.stdin.end());
  expect((await outcomeOf(first)).code).toBe(0);
  // A copy: a Buffer shares its memory with others.
  const sound = Uint8Array.from(readFileSync(join(flash, STORED)));

  for (let board = 0; board < BOARDS; board++) {
    const folder = at(`board-${board}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, STORED), board % 2 === 0 ? rewritten(random, sound) : mutated(random, sound));
    const program = start("simulate", "--engine", "xs", "--storage", folder, ...SETTINGS);
    const outcome = outcomeOf(program);
    await new Promise((resolve) => program.stdout.once("data", resolve));
    for (let i = 0; i < LINES && program.exitCode === null; i++) {
      const command = pick(random, random.index(8) === 0 ? HOSTILE : COMMANDS);
      const line = utf8(random.index(2) === 0 ? command : tagCommand(1 + random.index(99), command));
      program.stdin.write(random.index(2) === 0 ? line : mutated(random, line));
      program.stdin.write("\n");
      if (i % 4 === 3) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    // The board reads what has come before it sees that no more will.
    program.stdin.end();
    const { code, stdout, stderr } = await outcome;
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/help lists them/);
  }
}, 600_000);
