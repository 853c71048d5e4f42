import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { printable } from "../src/gpt/base/errors";
import { type Outcome, outcomeOf, temporaryFolder, makePipe, makeLink } from "./support/cli";
import { hostExecutable, type HostStart, startHost } from "./support/xs";
import { skipUnless } from "./support/skipping";

/* host.storage, on disks that are full, slow-witted or broken. */

const at = temporaryFolder();
const folder = at("files");
const file = (name: string): string => join(folder, name);
let executable: string;

beforeAll(async () => {
  executable = await hostExecutable();
  mkdirSync(folder, { recursive: true });
}, 600_000);

/** Runs JavaScript with the functions below; what it throws is the outcome's stderr. */
function run(source: string, start?: HostStart): Promise<Outcome> {
  const bundle = at("bundle.js");
  writeFileSync(
    bundle,
    `function save(path, size) {
       const target = host.storage.create(path);
       for (let left = size; left > 0; left -= 1000) target.write(new Uint8Array(Math.min(left, 1000)).fill(110));
       target.commit();
     }
     function load(path) {
       const source = host.storage.open(path);
       const bytes = new Uint8Array(source.size);
       return source.read(0, bytes);
     }
     const { move } = host.storage;
     try { ${source} } catch (error) { host.fail(error.message, 2); }`,
  );
  return outcomeOf(startHost(executable, bundle, start));
}

const quoted = JSON.stringify;
/** No temporary file was left. */
const expectNothingElse = (...names: string[]): void =>
  expect(readdirSync(folder).toSorted()).toEqual(names.toSorted());

describe("a file that is replaced", () => {
  afterEach(() => execFileSync("rm", ["-f", file("model")]));

  test.each(["600", "640", "666", "755"])("keeps its mode %s", async (digits) => {
    const mode = Number.parseInt(digits, 8);
    writeFileSync(file("model"), "old");
    chmodSync(file("model"), mode);
    const mostlyClosed = 'umask 077; exec "$0" "$@"';
    expect(await run(`save(${quoted(file("model"))}, 5)`, { shell: mostlyClosed })).toMatchObject({
      code: 0,
      stderr: "",
    });
    expect([statSync(file("model")).mode & 0o7777, statSync(file("model")).size]).toEqual([mode, 5]);
    expectNothingElse("model");
  });

  test("is never open to others, not even while it is being written", async () => {
    writeFileSync(file("model"), "old");
    chmodSync(file("model"), 0o600);
    const source = `host.storage.create(${quoted(file("model"))}).write(new Uint8Array(5)); host.write("written\\n");
      host.setLineListener(() => host.exit(0));`;
    writeFileSync(at("open.js"), source);
    const host = startHost(executable, at("open.js"), { shell: 'umask 0; exec "$0" "$@"' });
    const outcome = outcomeOf(host);
    await new Promise((resolve) => host.stdout.once("data", resolve));
    const modes = readdirSync(folder).map((name) => statSync(file(name)).mode & 0o777);
    host.stdin.end();
    expect(modes).toEqual([0o600, 0o600]);
    expect((await outcome).code).toBe(0);
    expectNothingElse("model");
  });

  test("if new has the mode that the user wants for new files", async () => {
    expect(await run(`save(${quoted(file("model"))}, 5)`, { shell: 'umask 027; exec "$0" "$@"' })).toMatchObject({
      code: 0,
    });
    expect(statSync(file("model")).mode & 0o777).toBe(0o640);
  });
});

test("a file that is moved takes the place of another, and what is not there is not moved", async () => {
  const [from, to] = [quoted(file("model")), quoted(file("best"))];
  const source = `save(${to}, 9); save(${from}, 5); move(${from}, ${to}); move(${from}, ${to});`;
  expect(await run(source)).toMatchObject({ code: 0, stderr: "" });
  expect(readFileSync(file("best"), "utf8")).toBe("nnnnn");
  expectNothingElse("best");
  execFileSync("rm", [file("best")]);
});

test("a file is removed, and one that is not there is not", async () => {
  const model = quoted(file("model"));
  const source = `save(${model}, 5); host.storage.remove(${model}); host.storage.remove(${model});`;
  expect(await run(source)).toMatchObject({ code: 0, stderr: "" });
  expectNothingElse();
});

test("a file that is begun twice is written once: the second gives up the first", async () => {
  const source = `
    const path = ${quoted(file("model"))};
    const first = host.storage.create(path), second = host.storage.create(path);
    second.write(Uint8Array.of(51));
    first.abort();
    for (const work of [() => first.write(Uint8Array.of(49)), () => first.commit()]) {
      try { work(); } catch (error) { host.write(error.message + "\\n"); }
    }
    for (let i = 0; i < 3000; i++) host.storage.create(path + i % 3);
    for (let i = 0; i < 3; i++) host.storage.create(path + i).abort();
    second.write(Uint8Array.of(52));
    second.commit();
    second.abort();`;
  const refusal = `Cannot write ${file("model")}: it is closed\n`;
  expect(await run(source)).toEqual({ code: 0, stderr: "", stdout: refusal + refusal });
  expect(readFileSync(file("model"), "utf8")).toBe("34");
  expectNothingElse("model");
  execFileSync("rm", [file("model")]);
});

test("what another process of the same number has left is no obstacle", async () => {
  const shell = `: > ${file("model")}.$$.tmp; chmod 0444 ${file("model")}.$$.tmp; ln -sf ${at("elsewhere")} ${file("linked")}.$$.tmp; exec "$0" "$@"`;
  writeFileSync(at("elsewhere"), "untouched");
  const both = `save(${quoted(file("model"))}, 5); save(${quoted(file("linked"))}, 5);`;
  expect(await run(both, { shell })).toMatchObject({ code: 0, stderr: "" });
  expect(readFileSync(at("elsewhere"), "utf8")).toBe("untouched");
  expect(readFileSync(file("model"), "utf8")).toBe("nnnnn");
  execFileSync("rm", [file("model"), file("linked")]);
});

describe("what cannot be is said in words:", () => {
  beforeAll(() => {
    mkdirSync(at("odd"), { recursive: true });
    writeFileSync(at("odd/plain"), "");
    makePipe(at("odd/pipe"));
    makeLink("circle", at("odd/circle"));
    mkdirSync(at("odd/folder"), { recursive: true });
  });

  test.each<[string, RegExp]>([
    [`load("DIR/pipe")`, /^Cannot read .*pipe: it is not a regular file\n$/],
    [`load("DIR/folder")`, /^Cannot read .*folder: it is a folder\n$/],
    [`load("DIR/circle")`, /^Cannot read .*circle: its symbolic links go in a circle\n$/],
    [`load("DIR/plain/inside")`, /^Cannot read .*inside: a part of its path is not a folder\n$/],
    [`load("DIR/" + "n".repeat(300))`, /^Cannot read .*…: its name is too long\n$/],
    [`load("/dev/null/" + "deep/".repeat(60))`, /^Cannot read .*…: a part of its path is not a folder\n$/],
    [`load("")`, /^a file name must have 1 to 4095 bytes\n$/],
    [`load("DIR/pla\\0in")`, /^a file name must not contain NUL\n$/],
    [`save("DIR/pipe", 5)`, /^Cannot write .*pipe: it is not a regular file\n$/],
    [`save("DIR/folder", 5)`, /^Cannot write .*folder: it is a folder\n$/],
    [
      `save("DIR/nowhere/" + "deep/".repeat(30) + "model", 5)`,
      /^Cannot write .*deep\/.*: there is no such file or folder\n$/,
    ],
    [`save("DIR/plain/model", 5)`, /^Cannot write .*model: a part of its path is not a folder\n$/],
    [`move("DIR/folder", "DIR/model")`, /^Cannot read .*folder: it is a folder\n$/],
    [`move("DIR/pipe", "DIR/model")`, /^Cannot read .*pipe: it is not a regular file\n$/],
    [`move("DIR/plain", "DIR/pipe")`, /^Cannot write .*pipe: it is not a regular file\n$/],
    [`move("DIR/plain", "DIR/nowhere/model")`, /^Cannot write .*model: there is no such file or folder\n$/],
    [`host.storage.remove("DIR/folder")`, /^Cannot write .*folder: it is a folder\n$/],
    [`host.storage.remove("DIR/pipe")`, /^Cannot write .*pipe: it is not a regular file\n$/],
    [`move("DIR/plain", "")`, /^a file name must have 1 to 4095 bytes\n$/],
  ])("%s", async (source, message) => {
    const { code, stdout, stderr } = await run(source.replaceAll("DIR", at("odd")));
    expect(stderr).toMatch(message);
    expect([code, stdout]).toEqual([2, ""]);
  });

  test("a name of another script is the same name in C", async () => {
    expect(
      await run(`save(${quoted(file("名前 \ud83d\ude00"))}.replace("\\ud83d\\ude00", "\\ud83d" + "\\ude00"), 5)`),
    ).toMatchObject({ code: 0 });
    expectNothingElse("名前 😀");
    execFileSync("rm", [file("名前 😀")]);
  });

  test("a name that would move the cursor is shown as printable() of src/gpt/base/errors.ts shows it", async () => {
    const source = readFileSync(join(__dirname, "..", "src", "gpt", "base", "errors.ts"), "utf8");
    const table = /INVISIBLE = Object\.freeze\(\[([^\]]+)/.exec(source)?.[1] ?? "";
    const edges = (table.match(/0x[0-9a-f]+/g) ?? []).map(Number).flatMap((edge) => [edge - 1, edge, edge + 1]);
    const characters = edges
      .filter((edge) => edge > 0 && edge < 0x110000 && edge !== 0x2f && (edge < 0xd800 || edge > 0xdfff))
      .map((edge) => String.fromCodePoint(edge));
    expect(characters.length).toBeGreaterThan(80);
    const { stdout } = await run(
      `for (const character of JSON.parse(host.request)) {
         try { load("/dev/null/<" + character + ">"); } catch (error) { host.write(error.message + "\\n"); }
       }`,
      { options: ["--request", quoted(characters)] },
    );
    const shown = characters.map((character) =>
      printable(`Cannot read /dev/null/<${character}>: a part of its path is not a folder`, 500),
    );
    expect(stdout.trimEnd().split("\n")).toEqual(shown);
  });

  test("a file that grows too large leaves nothing behind", async () => {
    writeFileSync(file("model"), "old");
    const { code, stderr } = await run(`save(${quoted(file("model"))}, 100000)`, {
      shell: 'ulimit -f 8; exec "$0" "$@"',
    });
    expect(stderr).toMatch(/^Cannot write .*model: it would be larger than a file may be here\n$/);
    expect([code, readFileSync(file("model"), "utf8")]).toEqual([2, "old"]);
    expectNothingElse("model");
  });
});

skipUnless(process.platform === "linux", "disks that fail, which are played on Linux only").describe(
  "on a disk that",
  () => {
    const library = at("faults.so");
    const { EIO, EINVAL, ENOSPC } = constants.errno;
    const faulty = (fault: string): HostStart => ({
      environment: { LD_PRELOAD: library, FAULT: fault, FAULT_LOG: at("log") },
    });

    beforeAll(() => {
      const source = join(__dirname, "support", "faults.c");
      execFileSync(process.env.CC ?? "cc", ["-shared", "-fPIC", "-w", source, "-o", library, "-ldl"]);
    });

    beforeEach(() => {
      writeFileSync(file("model"), "old");
      writeFileSync(at("log"), "");
    });

    test.each<[string, string, RegExp]>([
      ["is full", `write:${ENOSPC}`, /^Cannot write .*model: the disk is full\n$/],
      ["cannot write", `write:${EIO}`, /^Cannot write .*model: the device has failed\n$/],
      ["is full at the end", `fsync:${ENOSPC}`, /^Cannot write .*model: the disk is full\n$/],
      ["cannot rename", `rename:${EIO}`, /^Cannot write .*model: the device has failed\n$/],
    ])("%s", async (_, fault, message) => {
      const { code, stderr } = await run(`save(${quoted(file("model"))}, 5)`, faulty(fault));
      expect(stderr).toMatch(message);
      expect([code, readFileSync(file("model"), "utf8")]).toEqual([2, "old"]);
      expectNothingElse("model");
    });

    test("writes little at a time", async () => {
      expect(await run(`save(${quoted(file("model"))}, 3000)`, faulty("write:0"))).toMatchObject({
        code: 0,
        stderr: "",
      });
      expect(readFileSync(file("model"), "utf8")).toBe("n".repeat(3000));
    });

    test("cannot read", async () => {
      const { code, stderr } = await run(`load(${quoted(file("model"))})`, faulty(`read:${EIO}`));
      expect(stderr).toMatch(/^Cannot read .*model: the device has failed\n$/);
      expect(code).toBe(2);
    });

    test("works gets the bytes, then the name, then the folder", async () => {
      await run(`save(${quoted(file("model"))}, 5)`, faulty(""));
      expect(readFileSync(at("log"), "utf8")).toBe("fsync file\nrename\nfsync folder\n");
    });

    test("cannot rename keeps both files of a move", async () => {
      writeFileSync(file("best"), "older");
      const move = `move(${quoted(file("model"))}, ${quoted(file("best"))})`;
      const { code, stderr } = await run(move, faulty(`rename:${EIO}`));
      expect(stderr).toMatch(/^Cannot write .*best: the device has failed\n$/);
      expect([code, readFileSync(file("model"), "utf8"), readFileSync(file("best"), "utf8")]).toEqual([
        2,
        "old",
        "older",
      ]);
      await run(move, faulty(""));
      expect(readFileSync(at("log"), "utf8")).toMatch(/rename\nfsync folder\n$/);
      execFileSync("mv", [file("best"), file("model")]);
    });

    test("cannot bring a folder to the disk says so, if it ever could", async () => {
      const save = `save(${quoted(file("model"))}, 5)`;
      const broken = await run(save, faulty(`fsync-folder:${EIO}`));
      expect(broken.stderr).toMatch(/^Cannot write .*model: the device has failed\n$/);
      expect(await run(save, faulty(`fsync-folder:${EINVAL}`))).toMatchObject({ code: 0, stderr: "" });
      expectNothingElse("model");
    });
  },
);

test("a file beside the working folder is found", async () => {
  const shell = `cd ${folder}; exec "$0" "$@"`;
  expect(await run(`save("here", 5); host.write(String(load("here")));`, { shell })).toMatchObject({
    code: 0,
    stdout: "5",
  });
  expect(existsSync(file("here"))).toBe(true);
});
