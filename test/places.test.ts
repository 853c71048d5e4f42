import { writeFileSync } from "node:fs";
import { InputError } from "../src/gpt/base/errors";
import * as browser from "../src/places/browser";
import * as node from "../src/places/node";
import * as moddable from "../src/places/moddable/place";
import type { Place } from "../src/places/place";
import { temporaryFolder } from "./support/cli";
import { board } from "./support/moddable/board";

/* What an app needs of the place where it runs: esp32gpt/node, /browser and /moddable, as esp32gpt/platform. */

/** The compiler checks that each has the four exports of Place, with its types. */
const PLACES: Readonly<Record<string, Place>> = { node, browser, moddable };
type SameAs<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;
/** And that an app which is checked with the declarations of one compiles with those of the others. */
const ARE_ALIKE: [SameAs<typeof node, typeof browser>, SameAs<typeof node, typeof moddable>] = [true, true];

const at = temporaryFolder();

beforeEach(() => board.reset());

test.each(Object.entries(PLACES))("%s exports these four and nothing else", (_, place) => {
  expect(Object.keys(place).sort()).toEqual(["clock", "openStorage", "opsFor", "print"]);
  expect(ARE_ALIKE).toEqual([true, true]);
});

/** Lets what is scheduled come: on the stand-in for Moddable time passes only so. */
async function turn(name: string): Promise<void> {
  if (name === "moddable") board.run(1);
  else await new Promise((resolve) => setTimeout(resolve, 20));
}

test.each(Object.entries(PLACES))("on %s a slice comes from the event loop, once", async (name, { clock }) => {
  const order: string[] = [];
  const before = clock.now();
  clock.schedule(() => order.push("slice"));
  void Promise.resolve().then(() => order.push("pending"));
  order.push("now");
  await Promise.resolve();
  await turn(name);
  expect(order).toEqual(["now", "pending", "slice"]);
  expect(clock.now()).toBeGreaterThan(before);
});

test.each(Object.entries(PLACES))("on %s a file is kept in its folder, and replaced", async (name, { openStorage }) => {
  const folder = name === "node" ? at("deep/models") : "models";
  const storage = await openStorage(folder);
  for (const content of [1, 2]) {
    const file = await storage.create("a");
    file.write(Uint8Array.of(content));
    await file.commit();
  }
  // In a page without a database, as here, the files are in memory.
  const again = name === "browser" ? storage : await openStorage(folder);
  const stored = await again.open("a");
  const bytes = new Uint8Array(2);
  expect([stored?.read(0, bytes), ...bytes]).toEqual([1, 2, 0]);
  stored?.close();
  await storage.remove("a");
  expect(await again.open("a")).toBeUndefined();
});

test("a folder that cannot be opened is refused with a sentence", async () => {
  writeFileSync(at("file"), "");
  await expect(node.openStorage(at("file/folder"))).rejects.toThrow(InputError);
  await expect(node.openStorage(at("file/folder"))).rejects.toThrow(/^Cannot write .*folder: .*\.$/);
  board.flash = undefined;
  await expect(moddable.openStorage("models")).rejects.toThrow(
    new InputError("Nothing can be saved here: the flash has no partition named storage."),
  );
});

test("ops are the fastest of the place: in C on Moddable, and by default in i32 without an FPU", () => {
  for (const { opsFor } of [node, browser]) {
    expect([opsFor().dtype, opsFor().name]).toEqual(["f32", "typescript"]);
    for (const dtype of ["f32", "f64", "i32"] as const) expect(opsFor(dtype).dtype).toBe(dtype);
  }
  for (const [dtype, name] of [
    ["f32", "native"],
    ["f64", "typescript"],
    ["i32", "native"],
  ] as const) {
    const ops = moddable.opsFor(dtype);
    expect([ops.dtype, ops.name]).toEqual([dtype, name]);
  }
  for (const [hasFpu, dtype] of [
    [true, "f32"],
    [false, "i32"],
  ] as const) {
    board.hasFpu = hasFpu;
    expect(moddable.opsFor().dtype).toBe(dtype);
  }
});

test("a line is printed with its end", () => {
  moddable.print("step 1");
  expect(board.traced).toBe("step 1\n");
  const lines: unknown[] = [];
  const { log } = console;
  console.log = (line: unknown) => void lines.push(line);
  try {
    node.print("step 1");
    browser.print("step 2");
  } finally {
    console.log = log;
  }
  expect(lines).toEqual(["step 1", "step 2"]);
});
