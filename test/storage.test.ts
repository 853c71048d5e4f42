import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { execFileSync, spawn } from "node:child_process";
import { constants } from "node:os";
import { join } from "node:path";
import { InputError } from "../src/gpt/base/errors";
import { Files } from "../host/files/files";
import { NodeStorage } from "../src/places/node/storage";
import { PageStorage } from "../src/places/browser/storage";
import { ROOT } from "./helpers";
import { type Outcome, outcomeOf, temporaryFolder, makeLink } from "./support/cli";
import { MemoryStorage, PowerCut } from "./support/memory-storage";
import { expectOneAtATime } from "./support/new-file";
import { skipUnless } from "./support/skipping";

/* Files that get another name, and that are begun twice, in places that need no engine of their own. */

const nodeStorage = new NodeStorage();

describe("on Node a file", () => {
  const at = temporaryFolder();

  beforeEach(() => {
    for (const name of readdirSync(at("."))) rmSync(at(name), { recursive: true });
    writeFileSync(at("model"), "new");
    writeFileSync(at("best"), "old");
    mkdirSync(at("folder"), { recursive: true });
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

  test("is removed, and one that is not there is not", async () => {
    await nodeStorage.remove(at("model"));
    await nodeStorage.remove(at("model"));
    await nodeStorage.remove(at("nowhere/model"));
    expect(readdirSync(at(".")).toSorted()).toEqual(["best", "folder"]);
    await expect(nodeStorage.remove(at("folder"))).rejects.toThrow(/^Cannot write .*folder: it is a folder\.$/);
  });

  test("that is begun twice is written once, and leaves nothing open", async () => {
    const openFiles = (): number => readdirSync(process.platform === "linux" ? "/proc/self/fd" : "/dev/fd").length;
    const before = openFiles();
    for (let i = 0; i < 50; i++) await expectOneAtATime(nodeStorage, at("best"));
    expect(openFiles()).toBe(before);
    expect(readdirSync(at(".")).toSorted()).toEqual(["best", "folder", "model"]);
  });

  test("is the one behind the name that the user gave", async () => {
    makeLink("best", at("link"));
    const files = new Files(new AbortController().signal);
    files.output(at("link"));
    await files.storage.move(at("model"), at("link"));
    expect(lstatSync(at("link")).isSymbolicLink()).toBe(true);
    expect(readFileSync(at("best"), "utf8")).toBe("new");
  });
});

skipUnless(process.platform === "linux", "disks that fail, which are played on Linux only").describe(
  "a checkpoint that Node saves",
  () => {
    const at = temporaryFolder();
    const library = at("faults.so");

    beforeAll(() => {
      const source = join(__dirname, "support", "faults.c");
      execFileSync(process.env.CC ?? "cc", ["-shared", "-fPIC", "-w", source, "-o", library, "-ldl"]);
    });

    async function save(fault: string): Promise<Outcome & { readonly log: string; readonly file: string }> {
      writeFileSync(at("log"), "");
      writeFileSync(at("model"), "old");
      const options = ["train", "--engine", "node", "--steps", "2", "--samples", "0", "--save", at("model")];
      const env = { ...process.env, LD_PRELOAD: library, FAULT: fault, FAULT_LOG: at("log") };
      const outcome = await outcomeOf(spawn(process.execPath, ["bin/esp32gpt.js", ...options], { cwd: ROOT, env }));
      return { ...outcome, log: readFileSync(at("log"), "utf8"), file: readFileSync(at("model"), "latin1") };
    }

    test("reaches the disk before it has its name, and then the folder", async () => {
      const { code, log, file } = await save("");
      expect([code, log]).toEqual([0, "fsync file\nrename\nfsync folder\n"]);
      expect(file.length).toBeGreaterThan(50_000);
    });

    test.each(["fsync", "rename"])("leaves what was there when the disk fails at its %s", async (call) => {
      const { code, stderr, file } = await save(`${call}:${constants.errno.EIO}`);
      expect(stderr).toMatch(/^esp32gpt: Cannot write [^\n]*model: the device has failed\.\n$/);
      expect([code, file]).toEqual([2, "old"]);
      expect(readdirSync(at("."))).not.toContainEqual(expect.stringMatching(/\.tmp$/));
    });
  },
);

describe("in memory", () => {
  test("a file that is begun twice is written once", async () => {
    const storage = new MemoryStorage();
    await expectOneAtATime(storage, "best");
    expect([storage.openFiles, [...storage.files.keys()]]).toEqual([0, ["best"]]);
    await expectOneAtATime(PageStorage.inMemory("folder"), "best");
  });

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
