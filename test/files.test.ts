import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { ROOT } from "./helpers";
import { esp32gpt, type Outcome, outcomeOf, temporaryFolder, makePipe, makeLink } from "./support/cli";

/* Files that are no plain files: pipes, links, devices. */

const at = temporaryFolder();
const NAMES = "emma\nolivia\nava\n";
const ENGINES = ["node", "xs"];

beforeAll(async () => {
  writeFileSync(at("names"), NAMES);
  await esp32gpt("train", "--steps", "20", "--samples", "0", "--data", at("names"), "--save", at("model"));
  makePipe(at("pipe"));
  mkdirSync(at("folder"), { recursive: true });
  makeLink("circle", at("circle"));
});

const MB = 1 << 20;

/** An empty file: where it is made longer it takes no room on the disk. */
function writtenTo(path: string): string {
  writeFileSync(path, "");
  return path;
}

/** Runs the program in a shell: $E stands for it. */
function shell(command: string): Promise<Outcome> {
  const env = { ...process.env, E: `${process.execPath} bin/esp32gpt.js` };
  return outcomeOf(spawn("bash", ["-c", command], { cwd: ROOT, env }));
}

describe.each(ENGINES)("inputs on %s", (engine) => {
  const options = `--engine ${engine} --steps 3 --samples 2 --log-every 1`;

  test("a pipe, a process substitution and /dev/stdin are the file", async () => {
    const expected = await esp32gpt("train", ...options.split(" "), "--data", at("names"));
    expect(expected.code).toBe(0);
    for (const command of [
      `$E train ${options} --data /dev/stdin < ${at("names")}`,
      `cat ${at("names")} | $E train ${options} --data /dev/stdin`,
      `cat ${at("names")} | $E train ${options} --data /dev/fd/0`,
      `$E train ${options} --data <(cat ${at("names")})`,
      `cat ${at("names")} > ${at("pipe")} & $E train ${options} --data ${at("pipe")}; wait`,
    ])
      expect([command, await shell(command)]).toEqual([command, expected]);
  });

  test("a checkpoint may come out of a pipe", async () => {
    const generate = `$E generate --engine ${engine} --data ${at("names")} -n 3`;
    const expected = await shell(`${generate} --model ${at("model")}`);
    expect(expected.code).toBe(0);
    expect(await shell(`${generate} --model <(cat ${at("model")})`)).toEqual(expected);
    expect(await shell(`cat ${at("model")} | ${generate} --model /dev/stdin`)).toEqual(expected);
  });

  test.each([
    ["--data /dev/null", /\/dev\/null has no names/],
    ["--data /dev/zero", /\/dev\/zero is larger than 64 MB, the limit for a dataset/],
    ["--data CIRCLE", /circle: its symbolic links go in a circle/],
    ["--data ''", /--data must not be empty/],
    ["--init /dev/null", /\/dev\/null is not a sound safetensors file/],
    ["--init FOLDER", /folder: it is a folder|folder is/],
  ])("%s is a sentence", async (option, message) => {
    const command = option.replace("CIRCLE", at("circle")).replace("FOLDER", at("folder"));
    const { code, stdout, stderr } = await shell(`$E train --engine ${engine} --steps 2 ${command}`);
    expect(stderr).toMatch(/^esp32gpt: [^\n]+\n$/);
    expect(stderr).toMatch(message);
    expect([code, stdout]).toEqual([2, ""]);
  });

  test("a list of more than 64 MB is refused before it is read, one of 64 MB is not", async () => {
    const list = at(`large-${engine}`);
    const train = `$E train --engine ${engine} --steps 2 --data ${list}`;
    truncateSync(writtenTo(list), 64 * MB + 1);
    const refused = await shell(train);
    expect(refused.stderr).toMatch(/^esp32gpt: [^\n]*large-\w+ is larger than 64 MB, the limit for a dataset\.\n$/);
    expect([refused.code, refused.stdout]).toEqual([2, ""]);
    // What it has is no list of names, and that is said.
    truncateSync(list, 64 * MB);
    const { code, stderr } = await shell(train);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^esp32gpt: [^\n]*large-\w+[^\n]* line 1[^\n]*\n$/)]);
  });

  test("--save follows a link, and keeps the mode of what it replaces", async () => {
    const [link, target] = [at(`link-${engine}`), at(`target-${engine}`)];
    makeLink(target, link);
    const train = `$E train ${options} --save ${link}`;
    expect((await shell(train)).code).toBe(0);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(statSync(target).size).toBeGreaterThan(50_000);
    chmodSync(target, 0o640);
    const before = statSync(target).ino;
    expect((await shell(train)).code).toBe(0);
    expect(statSync(target).mode & 0o777).toBe(0o640);
    expect(statSync(target).ino).not.toBe(before);
  });

  test("the leftover of a killed save is removed by the next, and nobody else's file", async () => {
    const file = at(`crashed-${engine}`);
    const dead = Number(execFileSync("sh", ["-c", "echo $$"], { encoding: "utf8" }));
    writeFileSync(`${file}.${dead}.tmp`, "half");
    writeFileSync(`${file}.${process.pid}.tmp`, "of a living process");
    writeFileSync(`${file}.old.tmp`, "the user's");
    expect((await shell(`$E train ${options} --save ${file}`)).code).toBe(0);
    expect(existsSync(`${file}.${dead}.tmp`)).toBe(false);
    expect(existsSync(`${file}.${process.pid}.tmp`)).toBe(true);
    expect(existsSync(`${file}.old.tmp`)).toBe(true);
  });
});

describe("--jsonl", () => {
  const train = "$E train --steps 3 --samples 0 --jsonl";
  const records = /^(\{"step":\d,"loss":[\d.]+,"learningRate":[\d.]+,"name":\d+\}\n){3}$/;

  test("writes to a pipe", async () => {
    const { code, stdout } = await shell(`cat ${at("pipe")} & ${train} ${at("pipe")} > /dev/null; wait`);
    expect([code, stdout]).toEqual([0, expect.stringMatching(records)]);
    expect((await shell(`${train} >(cat > ${at("substituted")}) > /dev/null; sleep 0.3`)).code).toBe(0);
    expect(readFileSync(at("substituted"), "utf8")).toMatch(records);
  });

  test("writes to /dev/null and /dev/stdout", async () => {
    expect((await shell(`${train} /dev/null`)).code).toBe(0);
    const { stdout } = await shell(`${train} /dev/stdout | grep step.:`);
    expect(stdout).toMatch(records);
  });

  test("follows a link and keeps the mode", async () => {
    writeFileSync(at("records"), "before", { mode: 0o600 });
    makeLink("records", at("records-link"));
    expect((await shell(`${train} ${at("records-link")}`)).code).toBe(0);
    expect(readFileSync(at("records"), "utf8")).toMatch(records);
    expect(statSync(at("records")).mode & 0o777).toBe(0o600);
  });

  test("a pipe whose reader leaves costs nothing", async () => {
    const { code, stdout, stderr } = await shell(
      `head -1 ${at("pipe")} > /dev/null & $E train --steps 2000 --jsonl ${at("pipe")}`,
    );
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/=== Done ===\n$/);
  });
});

test.each([
  ["--save PIPE", /Cannot save to .*pipe: it is not a regular file/],
  ["--save /dev/null", /Cannot save to \/dev\/null: it is not a regular file/],
  ["--save CIRCLE", /circular|circle/],
  ["--save-weights /dev/null", /Cannot save to/],
  ["--data DATA --save DATA", /--data and --save are the same file/],
  ["--data DATA --jsonl ./DATA", /--data and --jsonl are the same file/],
  ["--save NEW --jsonl NEW", /--save and --jsonl are the same file/],
  ["--save NEW --save-weights NEW", /--save and --save-weights are the same file/],
  ["--init MODEL --jsonl MODEL", /--init and --jsonl are the same file/],
])("%s is refused before the training", async (option, message) => {
  writeFileSync(at("data"), NAMES);
  const model = readFileSync(at("model"));
  const words = option.replaceAll(/PIPE|CIRCLE|DATA|NEW|MODEL/g, (word) => at(word.toLowerCase())).replaceAll("./", "");
  const { code, stdout, stderr } = await shell(`$E train --steps 2 ${words}`);
  expect(stderr).toMatch(/^esp32gpt: [^\n]+\n$/);
  expect(stderr).toMatch(message);
  expect([code, stdout]).toEqual([2, ""]);
  expect(readFileSync(at("data"), "utf8")).toBe(NAMES);
  expect(readFileSync(at("model")).equals(model)).toBe(true);
  expect(existsSync(at("new"))).toBe(false);
});

test("the log and the checkpoint are not one file", async () => {
  const { code, stderr } = await shell(`$E train --steps 2 --save ${at("log")} > ${at("log")}`);
  expect(stderr).toMatch(/--save .*log is the file that standard output goes to/);
  expect(code).toBe(2);
});

test("--init and --save may be one file", async () => {
  const { code } = await shell(`$E train --steps 2 --data ${at("names")} --init ${at("model")} --save ${at("model")}`);
  expect(code).toBe(0);
});
