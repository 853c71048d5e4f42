import { STORED } from "../src/device/checkpoint-files";
import { encodeBase64 } from "../src/protocol/base64";
import { type DeviceLine, openLine, tagCommand } from "../src/protocol/lines";
import type { Random } from "../src/gpt/model/random";
import { utf8 } from "./helpers";
import { fuzzRandom, fuzzRuns, HOSTILE, mutated, pick } from "./support/fuzz";
import { MemoryStorage } from "./support/memory-storage";
import { NAMES, TestDevice } from "./support/test-device";

/* Whatever is sent to a console: by people, and by programs. See fuzz.ts for longer runs. */

const COMMANDS = [
  ...["status", "generate 2 0.5 em", "generate 3 1 o", "words", "eval", "eval words", "plan", "help", "version"],
  ...[
    "stop",
    "pause",
    "step 2",
    "add venus",
    "forget venus",
    "set own_share 0.5",
    "set log_every 3",
    "set temperature 1",
  ],
  ...["train", "train 3", "resume", "load", "save", "reset", "set", "set log json", "set log json 1", "set log text"],
  ...["fetch", "chunk 0 4", "chunk 192 1", "fetched", "receive 60", "data 0 AAAA", "received", "cancel"],
  `data 0 ${encodeBase64(new Uint8Array(60))}`,
];
/** What is said when something was changed. */
const CHANGES = /is one of|is forgotten|own_share|^Loaded|^Training for|^New weights|^=== Done/m;
const CHANGING = /^@\d+ \w+ +(?:add|forget|load|train|reset|resume|received)\b/;
const STEPPING = /^(?:@\d+ \w+ +)?step\b/;
const SHOWN = /^[^\p{Cc}\p{Bidi_Control}]*(?:\n[^\p{Cc}\p{Bidi_Control}]*)*$/u;

/** A line as somebody might send it, without its end. */
function lineOf(random: Random): Uint8Array {
  const command = pick(random, random.index(8) === 0 ? HOSTILE : COMMANDS);
  const line = utf8(
    random.index(3) === 0 ? command : tagCommand(1 + random.index(random.index(2) ? 12 : 70000), command),
  );
  return (random.index(2) === 0 ? line : mutated(random, line)).map((byte) =>
    byte === 0x0a || byte === 0x0d ? 0x20 : byte,
  );
}

/** What was said, apart: for people, and for programs, of which each must be sound and follow the one before. */
class Said {
  private next = 0;
  people = "";
  lines: DeviceLine[] = [];

  /** @param wasJson whether it spoke to programs before */
  take(device: TestDevice, wasJson: boolean): void {
    const text = device.take();
    const isJson = device.device.log.isJson;
    this.people = "";
    this.lines = [];
    for (const said of text.split("\n").slice(0, -1)) {
      if (Buffer.byteLength(said) > 1000) throw new Error(`A line has over 1000 bytes: ${said}`);
      const line = openLine(said);
      if (line) this.follow(line);
      // It says at once in the other manner what comes after it has changed.
      else if (wasJson && isJson) throw new Error(`This is no line for programs: ${said}`);
      else this.people += `${said}\n`;
    }
    expect(this.people).toMatch(SHOWN);
  }

  private follow(line: DeviceLine): void {
    if (line.type === "hello") this.next = 0;
    if (line.n !== this.next) throw new Error(`Line ${line.n} follows line ${this.next - 1}.`);
    this.next++;
    this.lines.push(line);
  }

  /** Whether it says that something was changed. */
  isChange(line: Uint8Array): boolean {
    const answers = this.lines.map(({ type, text }) => (type === "answer" ? String(text) : ""));
    const mayChange = CHANGING.test(String(Buffer.from(line)));
    const isDone = ({ type, ok }: DeviceLine): boolean =>
      type === "trained" || (mayChange && type === "ack" && ok === true);
    const said = [this.people, ...answers].join("\n");
    const isStepDone = STEPPING.test(String(Buffer.from(line))) && /^Step \d/m.test(said);
    return this.lines.some(isDone) || isStepDone || CHANGES.test(said);
  }
}

test("nothing changes where the answer is an error, lines for programs are sound, and it goes on", async () => {
  const random = fuzzRandom();
  const storage = new MemoryStorage();
  const settings = { steps: 2, n_embd: 4, n_head: 2, samples: 1 };
  const device = new TestDevice(settings, storage, { names: [...NAMES, "quiz", "jvwky"] });
  await device.live();
  device.take();
  const said = new Said();
  const count = { json: 0, changes: 0, refused: 0, damaged: 0 };
  let before = device.state;
  for (let run = 0; run < fuzzRuns(2000); run++) {
    const stored = storage.file(STORED);
    const wasJson = device.device.log.isJson;
    const line = lineOf(random);
    device.type(Uint8Array.of(...line, 0x0a));
    await device.live();
    said.take(device, wasJson);
    const { lines } = said;
    const isChange = said.isChange(line);
    const { state } = device;
    if (!isChange && state !== before)
      throw new Error(`${JSON.stringify(String(Buffer.from(line)))} has changed the state`);
    before = state;
    if (storage.file(STORED).length < stored.length / 2) throw new Error("The checkpoint has shrunk.");
    count.json += Number(wasJson);
    count.changes += Number(isChange);
    count.refused += lines.filter(({ type, ok }) => type === "ack" && ok === false).length;
    count.damaged += lines.filter(({ type }) => type === "damaged").length;
  }
  console.info(JSON.stringify(count));
  for (const times of Object.values(count)) expect(times).toBeGreaterThan(fuzzRuns(2000) / 50);
  expect(await device.answer("status")).toMatch(/Step \d+ of \d+/);
  expect(storage.openFiles).toBeLessThanOrEqual(1); // one that is being received
}, 1_800_000);

test("commands that meet while it trains do it no harm", async () => {
  const random = fuzzRandom();
  const storage = new MemoryStorage();
  const settings = { steps: 1e6, n_embd: 4, n_head: 2, samples: 1, save_every: 5, log_every: 1000 };
  const device = new TestDevice(settings, storage, { names: [...NAMES, "quiz", "jvwky"] });
  await device.live(5);
  device.take();
  const said = new Said();
  for (let run = 0; run < fuzzRuns(2000); run++) {
    const wasJson = device.device.log.isJson;
    device.type(Uint8Array.of(...lineOf(random), 0x0a));
    await device.live(random.index(4));
    said.take(device, wasJson);
  }
  device.type("\nset log text\nset save_every 0\nstop\npause\n");
  await device.live(200);
  expect(await device.answer("status", 200)).toMatch(/^Step \d+ of \d+/m);
}, 1_800_000);
