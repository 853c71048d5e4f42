import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { InputError } from "../src/errors";
import { Files } from "../host/files";
import { nodeStorage } from "../host/node-storage";
import { temporaryFolder } from "./support/cli";
import { MemoryStorage, PowerCut } from "./support/memory-storage";

/* Files that get another name, on Node and in the memory of the tests. */

describe("on Node a file", () => {
  const at = temporaryFolder();

  beforeEach(() => {
    for (const name of readdirSync(at("."))) rmSync(at(name), { recursive: true });
    writeFileSync(at("model"), "new");
    writeFileSync(at("best"), "old");
    mkdirSync(at("folder"));
  });

  test("takes the place of another", async () => {
    const { ino } = statSync(at("model"));
    await nodeStorage.move(at("model"), at("best"));
    expect([readFileSync(at("best"), "utf8"), statSync(at("best")).ino]).toEqual(["new", ino]);
    expect(existsSync(at("model"))).toBe(false);
  });

  test("that is not there leaves everything as it is", async () => {
    await nodeStorage.move(at("none"), at("best"));
    await nodeStorage.move(at("none"), at("nowhere/best"));
    expect(readFileSync(at("best"), "utf8")).toBe("old");
  });

  test.each([
    ["folder", "best", /^Cannot read .*folder: it is a folder\.$/],
    ["model", "folder", /^Cannot write .*folder: it is a folder\.$/],
    ["model", "nowhere/best", /^Cannot write .*nowhere\/best: [^]+\.$/],
    ["model", "best/inside", /^Cannot write .*best\/inside: [^]+\.$/],
    ["model/inside", "best", /^Cannot read .*model\/inside: [^]+\.$/],
  ])("%s cannot become %s", async (from, to, message) => {
    const move = nodeStorage.move(at(from), at(to));
    await expect(move).rejects.toThrow(InputError);
    await expect(move).rejects.toThrow(message);
    expect(readFileSync(at("model"), "utf8")).toBe("new");
    expect(readFileSync(at("best"), "utf8")).toBe("old");
  });

  test("is the one behind the name that the user gave", async () => {
    symlinkSync("best", at("link"));
    const files = new Files(new AbortController().signal);
    files.output(at("link"));
    await files.storage.move(at("model"), at("link"));
    expect(lstatSync(at("link")).isSymbolicLink()).toBe(true);
    expect(readFileSync(at("best"), "utf8")).toBe("new");
  });
});

describe("in memory", () => {
  const [model, best] = [Uint8Array.of(1), Uint8Array.of(2)];

  test("a file takes the place of another; what is not there does not", async () => {
    const storage = new MemoryStorage({ model, best });
    await storage.move("none", "best");
    expect([...storage.files]).toEqual([
      ["model", model],
      ["best", best],
    ]);
    await storage.move("model", "best");
    expect([...storage.files]).toEqual([["best", model]]);
  });

  test.each([
    [0.99, { model, best }],
    [1, { best: model }],
  ])("a power cut after %d of it leaves the files before or after it", async (cutAfter, left) => {
    const storage = new MemoryStorage({ model, best });
    storage.cutAt = 0;
    storage.cutAfter = cutAfter;
    await expect(storage.move("model", "best")).rejects.toThrow(PowerCut);
    await expect(storage.move("best", "model")).rejects.toThrow(PowerCut);
    expect(Object.fromEntries(storage.reboot().files)).toEqual(left);
  });
});
