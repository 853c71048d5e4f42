import { board } from "./support/moddable/board";
import { fuzzRandom, fuzzRuns, HOSTILE, mutated, pick } from "./support/fuzz";
import main from "../src/firmware/main";
import { bootMarker } from "../src/firmware/reset";

/* The firmware's entry, console and serial port on a board that is none. */

const FIRST_LINE =
  'Version 1.2.3 "goldcrest"; free heap: 226000 bytes, 110592 of them in one piece; reset by: power on\r\n';

interface Abort {
  abort?: (reason: string, exception?: unknown) => boolean;
}

beforeEach(() => {
  board.reset();
  board.fifoSize = 128;
  board.settings = { version: "1.2.3", codename: "goldcrest", ops: "typescript", steps: "3", samples: "2" };
});

/** What the board has said since it was switched on with these settings. */
async function boot(settings: Record<string, unknown> = {}, milliseconds = 2000): Promise<string> {
  Object.assign(board.settings, settings);
  board.opened = undefined;
  main();
  await board.live(milliseconds);
  return board.text;
}

/** What it answers to a line. */
async function answer(line: string | readonly number[]): Promise<string> {
  const before = board.sent.length;
  board.type(line);
  if (typeof line === "string") board.type("\r");
  await board.live(1000);
  return new TextDecoder().decode(Uint8Array.from(board.sent.slice(before)));
}

test("it says what it is, trains and writes names", async () => {
  const lines = (await boot()).split("\r\n");
  expect(`${lines[0]}\r\n`).toBe(FIRST_LINE);
  expect(lines.slice(1)).toEqual([
    "=== esp32gpt: microgpt in TypeScript on ESP32 ===",
    expect.stringMatching(/^Model: \d+ params, 4 heads, 16-dim embeddings$/),
    "Dataset: 3 names loaded from flash",
    "Training for 3 steps...",
    expect.stringMatching(/^step {4}0\/3: loss = \d\.\d{4}$/),
    expect.stringMatching(/^step {4}2\/3: loss = \d\.\d{4}$/),
    "--- Generated names (temperature=0.8) ---",
    expect.stringMatching(/^ {3}1\. [a-z]*$/),
    expect.stringMatching(/^ {3}2\. [a-z]*$/),
    "=== Done ===",
    "",
  ]);
});

test("the console answers while it trains and afterwards", async () => {
  await boot({ steps: 1000 }, 100);
  expect(await answer("status")).toMatch(/^Step \d{1,2} of 1000, loss \d\.\d{4}; training\.\r\n/m);
  await board.live(10_000);
  expect(await answer("status")).toMatch(/^Step 1000 of 1000, loss \d\.\d{4}; idle\.\r\n$/);
});

test("a line that will not do has one answer, which the terminal can show", async () => {
  await boot();
  expect(await answer("x".repeat(121))).toBe("The line is too long: at most 120 bytes.\r\n");
  expect(await answer([0x7a, 0x6f, 0xeb, 0x0d])).toBe("The line is not UTF-8: set the terminal to UTF-8.\r\n");
  expect(await answer("generate 2 1 \x1b[A")).toMatch(/^The line has a control character.*\r\n$/);
  expect(await answer("statux\x7fs")).toMatch(/^Step 3 of 3/);
});

test.each([1, 2 ** 31 - 1, 2 ** 31, 3_000_000_000, 0x5bd1e995, 2 ** 32 - 1])("it trains from seed %d", async (seed) => {
  expect(await boot({ seed: String(seed) })).toContain("=== Done ===\r\n");
  expect(await answer("generate 1")).toMatch(/^[a-z]*\r\n$/);
});

test("a seed that it draws is told, and gives the same again", async () => {
  const random = await boot({ seed: "random" });
  const seed = /^Seed: (\d+)\r$/m.exec(random)?.[1];
  board.reset();
  board.fifoSize = 128;
  board.settings = { version: "1.2.3", codename: "goldcrest", ops: "typescript", steps: "3", samples: "2" };
  expect(await boot({ seed })).toBe(random.replace(`Seed: ${seed ?? "none"}\r\n`, ""));
});

test.each([
  [{ step: "500" }, /^There is no setting step: there are version, .*steps.*\.$/],
  [{ ops: "js" }, /^ops must be native or typescript, not js\.$/],
  [{ port: "com3" }, /^port must be auto or uart or usb, not com3\.$/],
  [{ transmit: "tx" }, /^transmit must be a whole number from -1 to 54 .*, not tx\.$/],
  [{ seed: "0" }, /^seed must be .*, not 0\.$/],
  [{ n_embd: "15" }, /^n_embd \(15\) must be a multiple of n_head \(4\)/],
])("the setting %j is refused by name, and again for whoever comes later", async (settings, message) => {
  const [first, second, ...rest] = (await boot(settings)).split("\r\n");
  expect(`${first}\r\n`).toBe(FIRST_LINE);
  expect(second).toMatch(message);
  expect(rest).toEqual([""]);
  expect(await answer("status")).toBe(`${second}\r\n`);
});

test("values of mcconfig's command line win over the manifest's, and what others have there is passed over", async () => {
  board.beside = { steps: "5", version: "2.0.0", led: { pin: 2 }, samples: 7, rotation: 90, transmit: "17" };
  const said = await boot();
  expect(said).toMatch(/^Version 2\.0\.0 "goldcrest";/);
  expect(said).toMatch(/^step {4}4\/5: [^]* {3}2\. [a-z]*\r\n=== Done ===\r\n$/m);
  expect(board.pins).toEqual([17, -1]);
});

test("pins are opened, and where the chip cannot use them its own are", async () => {
  await boot({ transmit: "17", receive: 16 });
  expect(board.pins).toEqual([17, 16]);
  board.reset();
  board.refusesPins = true;
  expect(await boot({ transmit: "34", receive: "16", ops: "typescript", steps: 1, samples: 0 })).toMatch(
    /^The chip cannot use transmit=34, receive=16: this is UART0 at its default pins\.\r\nVersion /,
  );
  expect(board.pins).toEqual([-1, -1]);
});

test.each<[Record<string, unknown>, boolean, "uart" | "usb"]>([
  [{}, true, "usb"],
  [{}, false, "uart"],
  [{ port: "" }, true, "usb"],
  [{ port: "uart" }, true, "uart"],
  [{ port: "usb" }, false, "usb"],
])("on a chip with USB %j with a host %j is %s", async (settings, hasHost, opened) => {
  board.hasUsb = true;
  board.hasHost = hasHost;
  expect(await boot(settings)).toMatch(/^Version [^]*=== Done ===\r\n$/);
  expect(board.opened).toBe(opened);
  expect(await answer("status")).toMatch(/^Step 3 of 3/);
});

test("a chip without USB says so at the pins of UART0", async () => {
  expect(await boot({ port: "usb", transmit: 17 })).toMatch(
    /^The chip cannot use port=usb: this is UART0 at its default pins\.\r\nVersion /,
  );
  expect([board.opened, ...board.pins]).toEqual(["uart", -1, -1]);
});

test("a model for which there is no memory is refused, with what would fit", async () => {
  expect(await boot({ n_embd: "64" })).toMatch(/This model needs \d+ bytes.*: n_embd \d+ would fit\.\r\n$/);
});

test("free memory counts in pieces", async () => {
  const model = { n_embd: "24", samples: 0, steps: 1 };
  expect(await boot(model)).toContain("=== Done ===");
  board.sent = [];
  board.largestPiece = 20_000;
  expect(await boot(model)).toMatch(
    /This model needs \d+ bytes, \d+ of them in one piece.*: n_embd \d+ would fit\.\r\n$/,
  );
});

test("before an exception restarts the chip, it says why, once and last", async () => {
  await boot({ steps: 1000 }, 0);
  const { abort } = globalThis as Abort;
  abort?.("unhandled exception", new TypeError("x is not a function"));
  expect(board.restarts).toBe(1);
  expect(board.text).toMatch(/^step {4}0\/1000: .*\r\nRestarting: unhandled exception: x is not a function\r\n$/m);
});

test.each([
  ["memory full", undefined, "memory full"],
  ["unhandled exception", "a text", "unhandled exception: a text"],
  ["unhandled exception", 7, "unhandled exception"],
])("of %s with %p it says %j", async (reason, exception, said) => {
  await boot();
  (globalThis as Abort).abort?.(reason, exception);
  expect(board.text).toMatch(new RegExp(`=== Done ===\r\nRestarting: ${said}\r\n$`));
});

describe("after a reset that nobody wanted", () => {
  /** What it says before the banner when the chip was reset after so many milliseconds. */
  async function afterReset(reason: number, milliseconds: number, crash?: string): Promise<string[]> {
    await boot({ steps: 1000 }, milliseconds);
    const { slots } = board;
    board.reset();
    board.fifoSize = 128;
    Object.assign(board, { slots, crash, resetReason: reason });
    const text = await boot({ version: "1.2.3", codename: "goldcrest", ops: "typescript", steps: 3, samples: 0 });
    return text.slice(0, text.indexOf("===")).split("\r\n").slice(0, -1);
  }
  const CRASH = "LoadProhibited at 0x400d1234 on core 0";

  test("it says what was under way, and where it panicked", async () => {
    expect(await afterReset(4, 500, CRASH)).toEqual([
      FIRST_LINE.replace("power on\r\n", "panic"),
      expect.stringMatching(
        /^Before the reset: training, after [1-9]\d* steps; LoadProhibited at 0x400d1234 on core 0\.$/,
      ),
    ]);
    expect(board.crash).toBeUndefined();
  });

  test.each([5, 6, 7, 9])("reason %d: it says what was under way", async (reason) => {
    const [first, second, ...rest] = await afterReset(reason, 500);
    expect(first).toMatch(/reset by: (?!power|unknown)[a-z ]+$/);
    expect(second).toMatch(/^Before the reset: training, after [1-9]\d* steps\.$/);
    expect(rest).toEqual([]);
  });

  test.each([0, 1, 2, 3, 8])("reason %d, which somebody wanted: it says no more than that", async (reason) => {
    expect(await afterReset(reason, 500, CRASH)).toEqual([expect.stringMatching(/reset by: [a-z ]+$/)]);
    expect(board.crash).toBeUndefined();
  });

  test("a panic of which nothing else is known is told as well", async () => {
    board.resetReason = 4;
    board.crash = CRASH;
    expect(await boot()).toContain(`reset by: panic\r\nBefore the reset: ${CRASH}.\r\n===`);
    board.reset();
    board.resetReason = 4;
    board.settings = { ops: "typescript", steps: "3" };
    expect(await boot()).toContain("reset by: panic\r\n===");
  });
});

test("a number outlives a reset, and is 0 after power-on", () => {
  expect(bootMarker.get()).toBe(0);
  bootMarker.set(2);
  expect(bootMarker.get()).toBe(2);
  board.reset();
  expect(bootMarker.get()).toBe(0);
});

describe("a boot that fails while it reads what is stored", () => {
  /** Ends this boot after so many milliseconds, by a reset for a reason; what is in flash stays. */
  function restart(reason: number): void {
    const { slots, flash, settings } = board;
    board.reset();
    Object.assign(board, { slots, flash: flash?.reboot(), settings, fifoSize: 128, resetReason: reason });
  }

  beforeEach(async () => {
    await boot();
    restart(1);
  });

  test.each([3, 4, 6])("twice, by reason %d, puts the checkpoint aside unread, and comes up", async (reason) => {
    for (let i = 0; i < 2; i++) {
      expect(await boot({}, 0)).not.toMatch(/===|unread/);
      restart(reason);
    }
    expect(await boot()).toMatch(/^checkpoint\.safetensors was not read: .* It is kept as unused-1\.safetensors\./m);
    restart(4);
    expect(await boot()).toMatch(/It is trained already/);
  });

  test.each([1, 2, 9])("by reason %d, as when somebody pulls the plug, loses nothing", async (reason) => {
    for (let i = 0; i < 4; i++) {
      await boot({}, 0);
      restart(reason);
    }
    expect(await boot()).toMatch(/It is trained already/);
  });
});

test("a port that stands still does not keep it from restarting", async () => {
  board.bytesAMillisecond = 0;
  await boot({}, 0);
  (globalThis as Abort).abort?.("memory full");
  expect(board.restarts).toBe(1);
  expect(board.now).toBeLessThan(4000);
});

test("a simulator speaks through trace()", async () => {
  board.hasPort = false;
  board.freeHeap = undefined;
  await boot();
  expect(board.sent).toEqual([]);
  expect(board.traced).toMatch(/^=== esp32gpt: microgpt in TypeScript on XS ===\n[^]*=== Done ===\n$/);
  (globalThis as Abort).abort?.("unhandled exception", new Error("x"));
  expect(board.traced).toMatch(/Restarting: unhandled exception: x\n$/);
});

test("whatever is typed, it answers in lines that a terminal can show, and goes on", async () => {
  await boot({ steps: 5 });
  const random = fuzzRandom();
  const commands = ["status", "generate", "generate 2 0.5 em", "generate 3 1 o", "generate 1 0", "help"];
  const encoder = new TextEncoder();
  for (let run = 0; run < fuzzRuns(1000); run++) {
    const line = encoder.encode(pick(random, random.index(4) === 0 ? HOSTILE : commands));
    const typed = mutated(random, line).map((byte) => (byte === 0x0a ? 0x0d : byte));
    board.sent = [];
    board.type([...typed, 0x0d]);
    await board.live(200);
    // Every line ends as terminals want it; nothing in it moves the cursor.
    for (const said of board.text.split("\r\n")) {
      expect(said).toMatch(/^[^\p{Cc}\p{Bidi_Control}]*$/u);
      expect(encoder.encode(said).length).toBeLessThanOrEqual(500);
    }
    expect(board.restarts).toBe(0);
  }
  // Names that were asked for last may still be on their way.
  expect(await answer("status")).toMatch(/^Step 5 of 5, loss \d\.\d{4}; idle\.\r$/m);
});
