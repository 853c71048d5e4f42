import { spawn } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import { ROOT } from "./helpers";
import { outcomeOf, start } from "./support/cli";
import { BoardServer } from "./support/monitor";

/* The monitor with a pipe as its input: it ends when the board has answered. */

const SIMULATE = ["monitor", "--simulate", "--", "--engine", "node", "steps=1000000000", "log_every=10"];

test.each([
  ["status\n", /Step \d+ of 1000000000/],
  ["status\r\nversion", /Step \d+ of 1000000000[^]*Version simulator/],
  [`pause\n${"version\n".repeat(12)}`, /Paused[^]*Version simulator/],
  ["pause\ngenerate 3\neval\n", /Paused[^]*([a-z]*\n){3}[^]*Mean loss: \d/],
])("what came, %j, is sent, answered and then it ends", async (input, answer) => {
  const program = start(...SIMULATE);
  program.stdin.end(input);
  const { code, stdout, stderr } = await outcomeOf(program);
  expect(stdout.replaceAll("\r", "")).toMatch(answer);
  expect([code, stderr]).toEqual([0, ""]);
});

describe("a board at its cable", () => {
  let server: BoardServer;
  beforeEach(async () => {
    server = await BoardServer.listen();
  });
  afterEach(() => server.close());

  test("is listened to for as long as it answers, and no longer because it trains", async () => {
    const { program, board } = await server.connected();
    const outcome = outcomeOf(program);
    let step = 0;
    const training = setInterval(() => board.write(`step ${++step}/1000: loss = 2.5\r\n`), 100);
    let heard = "";
    board.on("data", (bytes: Buffer) => {
      heard += String(bytes);
      // As one of ours does: one after the other.
      if (heard === "one\ntwo\n") void setTimeout(3000).then(() => board.write("answer\r\nlast answer\r\n"));
      if (heard.endsWith("\nend-of-input\n"))
        void setTimeout(2500).then(() => board.write("There is no command end-of-input: help lists them.\r\n"));
    });
    program.stdin.end("one\ntwo\n");
    const { code, stdout, stderr } = await outcome;
    clearInterval(training);
    expect(stdout).toMatch(/answer\r\n[^]*last answer\r\n/);
    expect(stdout).not.toContain("end-of-input");
    expect(heard).toBe("one\ntwo\nend-of-input\n");
    expect([code, stderr]).toEqual([0, ""]);
    board.destroy();
  });

  test("is listened to and no more where there is nothing to send", async () => {
    for (const input of ["/dev/null", "pipe"]) {
      const program = spawn("sh", ["-c", `exec "$0" bin/esp32gpt.js monitor --port ${server.address} ${input === "pipe" ? "" : "< /dev/null"}`, process.execPath], { cwd: ROOT }); // prettier-ignore
      const outcome = outcomeOf(program);
      program.stdin.end();
      const board = await server.next();
      for (let i = 0; i < 8; i++) {
        board.write(`line ${i}\n`);
        await setTimeout(500);
      }
      expect(program.exitCode).toBeNull();
      program.kill("SIGTERM");
      const { code, stdout, stderr } = await outcome;
      expect([code, stdout, stderr]).toEqual([143, expect.stringContaining("line 7\n"), ""]);
      board.destroy();
    }
  });

  test("that is silent is left in the end", async () => {
    const { program, board } = await server.connected();
    board.write("ready\n");
    await setTimeout(200);
    const begin = performance.now();
    const outcome = outcomeOf(program);
    program.stdin.end("one\ntwo\n");
    expect(await outcome).toEqual({ code: 0, stdout: "ready\n", stderr: "" });
    expect(performance.now() - begin).toBeLessThan(20_000);
    board.destroy();
  });
});
