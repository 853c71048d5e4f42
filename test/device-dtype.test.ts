import { board } from "./support/moddable/board";
import main from "../src/firmware/main";
import { SerialConsole } from "../src/device/serial-console";
import type { Settings } from "../src/device/settings";
import type { BootMarker } from "../src/gpt/base/platform";
import { Checkpoint } from "../src/gpt/checkpoint/reader";
import type { Dtype } from "../src/gpt/model/ops";
import { typescriptOps } from "../src/gpt/model/typescript-ops";
import { utf8 } from "./helpers";
import { MemoryPlatform } from "./support/memory-platform";
import { MemoryStorage } from "./support/memory-storage";

/* In which arithmetic a device trains: that of its build, of its stored training, or the fastest of its chip. */

const NAMES = ["emma", "olivia", "ava", "zoe"];
const STORED = "checkpoint.safetensors";

/** What a device says from power-on until it idles. */
async function boot(
  usual: Dtype,
  storage: MemoryStorage,
  settings: Settings = {},
  marker?: BootMarker,
): Promise<string> {
  let said = "";
  const platform = new MemoryPlatform(utf8(NAMES.join("\n")), storage, 10);
  platform.bootMarker = marker;
  const serialConsole = new SerialConsole(
    undefined,
    () => undefined,
    (text) => void (said += text),
  );
  const life = serialConsole.begin({
    platform,
    settings: { ops: "typescript", steps: 6, samples: 0, log_every: 5, ...settings },
    provideOps: (dtype = usual) => typescriptOps(dtype),
  });
  let failure: unknown;
  life.catch((error: unknown) => (failure = error));
  for (let idle = 0; idle < 3;) {
    await new Promise(setImmediate);
    idle = platform.turn() ? 0 : idle + 1;
  }
  if (failure !== undefined) throw failure as Error;
  return said;
}

async function dtypeOf(storage: MemoryStorage, name = STORED): Promise<Dtype> {
  const checkpoint = await Checkpoint.open(storage, name);
  checkpoint.close();
  return checkpoint.dtype;
}

test("it trains in the dtype of its chip, and a build may name another", async () => {
  for (const [usual, settings, expected] of [
    ["f32", {}, "f32"],
    ["i32", {}, "i32"],
    ["i32", { dtype: "f32" }, "f32"],
    ["f32", { dtype: "i32" }, "i32"],
    ["f32", { dtype: "f64" }, "f64"],
  ] as const) {
    const storage = new MemoryStorage();
    const said = await boot(usual, storage, settings);
    expect(await dtypeOf(storage)).toBe(expected);
    expect(said.includes("16-dim embeddings, i32\n")).toBe(expected === "i32");
  }
});

test("a training in i32 goes on after a restart", async () => {
  const whole = new MemoryStorage();
  await boot("i32", whole, { steps: 12 });
  const storage = new MemoryStorage();
  await boot("i32", storage);
  expect(await boot("i32", storage)).toMatch(/^It is trained already, 6 steps/m);
  expect(await dtypeOf(storage)).toBe("i32");
});

test.each<[Dtype, Dtype]>([
  ["f32", "i32"],
  ["i32", "f32"],
])("a stored training in %s goes on in it on a chip for %s, and says how to begin in that", async (stored, usual) => {
  const storage = new MemoryStorage();
  await boot(stored, storage);
  const file = storage.files.get(STORED);
  const said = await boot(usual, storage);
  expect(said).toContain(
    `It goes on in ${stored}. A build with dtype=${usual}, which is faster on this chip, starts afresh.\n`,
  );
  expect(said).toMatch(/^It is trained already, 6 steps/m);
  expect(storage.files.get(STORED)).toEqual(file);
  // The same build says nothing of it on its own chip.
  expect(await boot(stored, storage)).not.toContain("goes on");
});

test.each<[Dtype, Dtype]>([
  ["f32", "i32"],
  ["i32", "f32"],
])("a build that names another dtype puts a training in %s aside", async (stored, named) => {
  const storage = new MemoryStorage();
  await boot(stored, storage);
  const file = storage.files.get(STORED);
  const said = await boot(stored, storage, { dtype: named });
  expect(said).toContain(`${STORED} was trained in ${stored}, and this build has dtype=${named}.`);
  expect(said).toContain("It is kept as unused-1.safetensors. Training starts afresh.");
  expect(storage.files.get("unused-1.safetensors")).toEqual(file);
  expect(await dtypeOf(storage)).toBe(named);
});

test("a header whose reading resets the chip is not read for its dtype a third time", async () => {
  const storage = new MemoryStorage();
  await boot("f32", storage);
  let value = 0;
  const marker = { get: () => value, set: (now: number) => void (value = now) };
  const open = jest.spyOn(storage, "open").mockImplementation(() => {
    throw new TypeError("a crash");
  });
  for (let i = 0; i < 2; i++) await expect(boot("i32", storage, {}, marker)).rejects.toThrow("a crash");
  open.mockRestore();
  // Now the checkpoint is read for its training, in the dtype of the chip.
  expect(await boot("i32", storage, {}, marker)).toContain(`was trained in f32, and this build has dtype=i32.`);
});

test("a chip without an FPU trains in i32", async () => {
  for (const hasFpu of [true, false]) {
    board.reset();
    board.settings = { version: "1", codename: "x", ops: "typescript", steps: "2", samples: "0" };
    board.hasFpu = hasFpu;
    main();
    await board.live(2000);
    expect(board.text.includes("16-dim embeddings, i32")).toBe(!hasFpu);
  }
});
