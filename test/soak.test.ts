import { spawn } from "node:child_process";
import { ROOT } from "./helpers";
import { outcomeOf } from "./support/cli";
import { makes32Bits } from "./support/xs";
import { skipUnless } from "./support/skipping";

/* What the device program takes of the heap. A long run: npm run test:soak. */

skipUnless(makes32Bits(), "a long training on the 32-bit XS host, which needs gcc-multilib").test(
  "a training with somebody who types takes what is planned, however long it is",
  async () => {
    const { code, stdout, stderr } = await outcomeOf(
      spawn(process.execPath, ["scripts/soak.mjs", "2000"], { cwd: ROOT }),
    );
    console.info(stdout);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout.match(/steps in/g)).toHaveLength(3);
  },
  120_000,
);
