import { join } from "node:path";
import { portableFunctions } from "../src/gpt/base/portable-functions";
import { temporaryFolder } from "./support/cli";
import { elementaryChecksum } from "./support/elementary-checksum";
import { bundle, hostExecutable, runOnHost } from "./support/xs";

const at = temporaryFolder();

test("the portable functions give the same bits on XS", async () => {
  await bundle(join(__dirname, "support", "elementary-main.ts"), at("main.js"));
  const { code, stdout, stderr } = await runOnHost(await hostExecutable(), at("main.js"));
  expect([code, stdout, stderr]).toEqual([0, `${elementaryChecksum(portableFunctions)}\n`, ""]);
}, 600_000);
