import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ROOT } from "./helpers";
import { type Outcome, outcomeOf, temporaryFolder } from "./support/cli";
import { startElsewhere } from "./support/xs";

/* The published package: what npm pack puts into it is enough to run, and XS comes with its optional peer. */

const at = temporaryFolder();
const XS = "@agoric/xsnap";

beforeAll(() => {
  execFileSync("npm", ["pack", "--silent", "--pack-destination", at(".")], { cwd: ROOT, stdio: "pipe" });
  const [tarball] = readdirSync(at(".")).filter((name) => name.endsWith(".tgz"));
  execFileSync("tar", ["-xzf", at(tarball), "-C", at(".")]);
  // What npm install brings: the dependencies, not the optional peer.
  for (const name of readdirSync(join(ROOT, "node_modules"))) {
    if (name.startsWith(".") || name === "@agoric") continue;
    mkdirSync(at("package/node_modules"), { recursive: true });
    symlinkSync(join(ROOT, "node_modules", name), at(join("package/node_modules", name)));
  }
}, 600_000);

function train(engine: string): Promise<Outcome> {
  const options = ["--engine", engine, "--steps", "3", "--samples", "1"];
  return outcomeOf(startElsewhere(at("package"), {}, "train", ...options));
}

test("without the peer, auto runs on Node and says which command brings XS", async () => {
  const { code, stdout, stderr } = await train("auto");
  expect(stderr).toMatch(
    /^esp32gpt: XS is not available: running on Node\. [^\n]*npm install --ignore-scripts @agoric\/xsnap[^\n]*\n$/,
  );
  expect(stdout).toMatch(/on Node ===\n[^]*=== Done ===\n$/);
  expect(code).toBe(0);
});

test("without the peer, xs says so", async () => {
  const { code, stdout, stderr } = await train("xs");
  expect(stderr).toMatch(/^esp32gpt: [^\n]*npm install --ignore-scripts @agoric\/xsnap\.\n$/);
  expect([code, stdout]).toEqual([2, ""]);
});

test("with the peer, where its folder cannot be written to, auto runs on Node", async () => {
  mkdirSync(at("package/node_modules/@agoric"), { recursive: true });
  symlinkSync(join(ROOT, "node_modules", XS), at(join("package/node_modules", XS)));
  writeFileSync(at("package/build"), "no folder");
  const { code, stderr } = await train("auto");
  expect(stderr).toMatch(/^esp32gpt: XS is not available: running on Node\. Cannot write [^\n]*\n$/);
  expect(code).toBe(0);
  rmSync(at("package/build"));
});

test("with the peer it builds XS and runs on it", async () => {
  mkdirSync(dirname(at(join("package/node_modules", XS))), { recursive: true });
  const { code, stdout } = await train("xs");
  expect(stdout).toMatch(/on XS ===\n[^]*=== Done ===\n$/);
  expect(code).toBe(0);
}, 600_000);
