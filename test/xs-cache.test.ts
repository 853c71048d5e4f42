import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { type Outcome, outcomeOf, temporaryFolder } from "./support/cli";
import { hostExecutable, startHost } from "./support/xs";

/* The bytecode of a bundle, which the XS host keeps in a file and uses when it starts again. */

const at = temporaryFolder();
let executable: string;

beforeAll(async () => {
  executable = await hostExecutable();
}, 600_000);

/** A program that prints the word, and the name of a property that no other program has. */
const sourceOf = (word: string): string => `
const answer = { own_${word}: "${word}" };
export default () => host.write(answer.own_${word} + " " + Object.keys(answer)[0] + "\\n");
`;

function run(cache: string): Promise<Outcome> {
  return outcomeOf(startHost(executable, at("program.js"), { options: ["--preload", "--cache", cache] }));
}

async function expectAnswer(word: string, cache = at("cache")): Promise<void> {
  writeFileSync(at("program.js"), sourceOf(word));
  expect(await run(cache)).toEqual({ code: 0, stdout: `${word} own_${word}\n`, stderr: "" });
}

beforeEach(() => rmSync(at("cache"), { force: true, recursive: true }));

/** Which file it is: one that is written anew is another. */
const identity = (): number => statSync(at("cache")).ino;

test("it is written once, and used from then on", async () => {
  await expectAnswer("one");
  const written = identity();
  await expectAnswer("one");
  expect(identity()).toBe(written);
});

test("that of another source is replaced", async () => {
  await expectAnswer("one");
  const first = readFileSync(at("cache"));
  await expectAnswer("two");
  expect(readFileSync(at("cache")).equals(first)).toBe(false);
  await expectAnswer("one");
  expect(readFileSync(at("cache")).equals(first)).toBe(true);
});

test("one that is cut off or damaged anywhere is replaced", async () => {
  await expectAnswer("one");
  const whole = readFileSync(at("cache"));
  for (const size of [0, 1, 8, 15, 16, 17, whole.length - 1]) {
    writeFileSync(at("cache"), whole.subarray(0, size));
    await expectAnswer("one");
    expect([size, readFileSync(at("cache")).equals(whole)]).toEqual([size, true]);
  }
  writeFileSync(at("cache"), Buffer.concat([whole, Buffer.of(0)]));
  await expectAnswer("one");
  expect(readFileSync(at("cache")).equals(whole)).toBe(true);
  const stride = Math.ceil(whole.length / 60);
  for (let place = 0; place < whole.length; place += place < 16 ? 1 : stride) {
    const damaged = Buffer.from(whole);
    damaged[place] ^= 0x80;
    writeFileSync(at("cache"), damaged);
    await expectAnswer("one");
    expect([place, readFileSync(at("cache")).equals(whole)]).toEqual([place, true]);
  }
});

test("where it cannot be written, the program runs all the same", async () => {
  await expectAnswer("one", at("nowhere/cache"));
  await expectAnswer("one", at("x".repeat(5000)));
  // A folder that nobody may write to; for root it is one in the place of the file.
  mkdirSync(at("closed/cache"), { recursive: true });
  chmodSync(at("closed"), 0o500);
  await expectAnswer("one", at("closed/cache"));
  expect(readdirSync(at("closed"))).toEqual(["cache"]);
  chmodSync(at("closed"), 0o700);
});

test("two starts at once leave one whole file", async () => {
  writeFileSync(at("program.js"), sourceOf("one"));
  const outcomes = await Promise.all(Array.from({ length: 4 }, () => run(at("cache"))));
  expect(outcomes.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
  await expectAnswer("one");
  expect(readdirSync(at(".")).filter((name) => name.startsWith("cache"))).toEqual(["cache"]);
});

test("a mistake in the syntax leaves none", async () => {
  writeFileSync(at("program.js"), "const a = ;\n");
  const { code, stderr } = await run(at("cache"));
  expect([code, stderr.split(":")[0]]).toEqual([70, "SyntaxError"]);
  expect(existsSync(at("cache"))).toBe(false);
});
