import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ProtocolClient } from "../src/client/client";
import { STORED } from "../src/device/checkpoint-files";
import { type DeviceLine, openLine, readTagged, sealLine, tagCommand } from "../src/protocol/lines";
import { ROOT } from "./helpers";
import { Simulation } from "./support/channel";
import { esp32gpt, outcomeOf, start, temporaryFolder } from "./support/cli";
import { MemoryStorage } from "./support/memory-storage";
import { until } from "./support/programs";
import { TestDevice } from "./support/test-device";

/*
 * What commit 6d50feb has made goes on, and its programs and ours understand each other. Recorded from it: trainings
 * that were stopped (train --n-embd 8 --n-head 2 --steps 3000 --batch-size 4 --holdout 5), the flash of a simulated
 * board with a word of its own, and what its monitor and its board say to each other in a --fetch and a --send.
 */

const RECORDED = join(ROOT, "test", "recorded");
const at = temporaryFolder();
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Of the checkpoint at the end of the same training, never stopped, by 6d50feb. */
const ENDS: Readonly<Record<string, string>> = {
  "esp32gpt-node": "64b914d808ae38e522be68a29785d63ecae4444771467be2b184db2f6356b1dd",
  "tuned-node": "8cd0b692e0ea9d1f95986003f97c1224345b21dbcb2a27e78639048dde187254",
  "microgpt-node": "c58100287715cec03c2de4ce72fe00299aacdd0657585eb3cf45bce4c4ab24e6",
  "esp32gpt-xs": "f89d89904259567527ded8d1996112bf6c6bfe000e569cc4508d189e8497ff45",
  "tuned-xs": "cee55f2dd1e774139fc9b3f82653fd4a0a2e1c21ee592d4ed2c5f46678162460",
  "microgpt-xs": "4b2899008835acfc84628cc75d8a35a2151a17eb794b2d945a7804a8534cda23",
};

test.each(Object.entries(ENDS))(
  "the training %s ends bit for bit like one that was never stopped",
  async (name, end) => {
    const engine = name.split("-")[1];
    const stopped = join(RECORDED, `${name}.safetensors`);
    const { code } = await esp32gpt(
      ...["train", "--engine", engine, "--resume", stopped, "--samples", "0", "--save", at(name)],
    );
    expect(code).toBe(0);
    expect(sha256(readFileSync(at(name)))).toBe(end);
  },
);

test("a board goes on with its training and its word, bit for bit", async () => {
  mkdirSync(at("flash"), { recursive: true });
  copyFileSync(join(RECORDED, "board.safetensors"), at(`flash/${STORED}`));
  const settings = ["n_embd=8", "n_head=2", "steps=4000", "batch_size=4", "samples=0", "save_every=0", "seed=7"];
  const board = start("simulate", "--engine", "node", "--storage", at("flash"), ...settings);
  const said = until(board, "stdout", /=== Done ===/);
  const outcome = outcomeOf(board);
  expect(await said).toMatch(/Going on with step 794\.\r?\nWith 1 word of your own\./);
  board.stdin.end();
  expect((await outcome).code).toBe(0);
  const end = "0086cc0439406bc4edd8ab83178ac233253dc54996344fdd27e3a89392fb10ca";
  expect(sha256(readFileSync(at(`flash/${STORED}`)))).toBe(end);
});

/** Lines of the program ("> ") and of the board ("< "), in their order. */
const session = readFileSync(join(RECORDED, "session.txt"), "utf8").trimEnd().split("\n");

interface Exchange {
  readonly id: number;
  readonly command: string;
  /** What the board said until it acknowledged it. */
  readonly answers: DeviceLine[];
}

/** The session as commands, each with what follows the acknowledgement of the one before, up to its own. */
function exchangesOf(lines: readonly string[]): Exchange[] {
  const exchanges: Exchange[] = [];
  let said: DeviceLine[] = [];
  for (const line of lines) {
    if (line.startsWith("> ")) {
      const tagged = readTagged(line.slice(2));
      if (tagged) exchanges.push({ ...tagged, answers: [] });
      continue;
    }
    const opened = openLine(line.slice(2));
    if (!opened) continue;
    said.push(opened);
    if (opened.type !== "ack") continue;
    exchanges.find(({ id }) => id === opened.id)?.answers.push(...said);
    said = [];
  }
  return exchanges;
}

const SETTINGS = { n_embd: 4, n_head: 1, block_size: 12, steps: 60, samples: 2, log_every: 20, save_every: 0 };

test("its monitor fetches from a board of ours what it has fetched from its own, and sends it", async () => {
  const names = readFileSync(join(ROOT, "data", "names.txt"), "utf8").split("\n");
  const device = new TestDevice(SETTINGS, new MemoryStorage(), { names });
  await device.live();
  device.take();
  const promised = (line: DeviceLine): boolean => line.type === "chunk" || line.type === "ack";
  for (const { id, command, answers } of exchangesOf(session)) {
    device.type(`${tagCommand(id, command)}\n`);
    await device.live();
    const lines = device
      .take()
      .split("\n")
      .flatMap((text) => openLine(text) ?? []);
    const fieldsOf = (all: readonly DeviceLine[]): unknown[] =>
      all.filter(promised).map((line) => ({ ...line, n: 0, crc: 0 }));
    expect([command, fieldsOf(lines)]).toEqual([command, fieldsOf(answers)]);
  }
});

test("a program of ours fetches from its board, and sends it a checkpoint", async () => {
  const simulation = new Simulation(1);
  const recorded = exchangesOf(session);
  let n = 0;
  let said = "";
  const link = simulation.link((line) => {
    const tagged = readTagged(line);
    const found = recorded.findIndex(({ command }) => command === tagged?.command);
    if (!tagged || found < 0) {
      said += `${line}\n`;
      return;
    }
    const [{ id, answers }] = recorded.splice(found, 1);
    simulation.after(1, () => {
      for (const answer of answers) {
        if (answer.type === "hello") n = 0;
        const fields = { ...answer, n };
        client.receive(sealLine(n++, answer.id === id ? { ...fields, id: tagged.id } : fields));
      }
    });
  });
  const client = new ProtocolClient(link, { onLine: () => undefined, onText: (line) => (said += `${line}\n`) });
  const nothing = (): void => undefined;
  await simulation.run(client.open());
  const bytes = await simulation.run(client.fetch(nothing));
  expect(sha256(bytes)).toBe("30c57653480c7080f6e37f53de3c2d704ef7befbdbfe8fc7582077b145d9995b");
  await simulation.run(client.run("set log text"));
  await simulation.run(client.open());
  await simulation.run(client.send(bytes, nothing, "fetched.safetensors"));
  expect(said).toBe("");
});

test("bench, which boards no longer have, is refused with a sentence", async () => {
  const device = new TestDevice(SETTINGS, new MemoryStorage());
  await device.answer("set log json");
  device.takeLines();
  device.type(`${tagCommand(1, "bench")}\n`);
  await device.live();
  const error = "There is no command bench: help lists them.";
  expect(device.takeLines()).toEqual([expect.objectContaining({ type: "ack", id: 1, ok: false, error })]);
});
