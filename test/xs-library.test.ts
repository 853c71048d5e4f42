import { join } from "node:path";
import { temporaryFolder } from "./support/cli";
import { libraryAnswer } from "./support/library-answer";
import { bundle, hostExecutable, runOnHost } from "./support/xs";

const at = temporaryFolder();

test("the library says the same on XS, bit for bit in i32", async () => {
  await bundle(join(__dirname, "support", "library-main.ts"), at("main.js"));
  const { code, stdout, stderr } = await runOnHost(await hostExecutable(), at("main.js"));
  expect([code, stdout, stderr]).toEqual([0, `${await libraryAnswer()}\n`, ""]);
  expect(stdout).toMatch(/^\{"ending":"done","losses":\[\d/);
}, 600_000);
