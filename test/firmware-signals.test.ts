import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "./support/cli";
import { buildsIn } from "./support/firmware-build";
import { bare, programsIn, startScript } from "./support/scripts";
import { soon, until } from "./support/programs";
import { skipUnless } from "./support/skipping";

const at = temporaryFolder();
const writeProgram = programsIn(at);
const writeBuild = buildsIn(at);

/** Starts a program of its own, tells both process ids, and goes on, whatever it is asked. */
const DEAF = `
  const { spawn } = require("node:child_process");
  const deaf = 'for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(name, () => {}); setTimeout(() => {}, 30_000);';
  const child = spawn(process.execPath, ["-e", deaf + 'console.log("ready")'], { stdio: ["ignore", "pipe", "ignore"] });
  child.stdout.on("data", () => console.log("pids " + process.pid + " " + child.pid + "\\n"));`;
/** The same, of which the first ends when it is asked to. */
const POLITE = `${DEAF}\nsetTimeout(() => {}, 30_000);`;
const STUBBORN = `${POLITE}\nfor (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(name, () => {});`;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A process that has ended and was not asked how: there is nobody here who would.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** A computer with everything, whose tools do `code`, which may ask \`options\`. */
function computer(name: string, code: string): NodeJS.ProcessEnv {
  for (const file of ["sdk/build/x", "idf/tools/idf.py", "sdk/tools/xsbug-log/node_modules"])
    mkdirSync(at(file), { recursive: true });
  const answer = `
    const options = process.argv.slice(2);
    if (options[0] === "version") console.log("5.6.0");
    else if (options[1] === "help") console.log("esp32  Espressif ESP32 machine");
    else {${code}}`;
  for (const tool of ["mcconfig", "esptool", "qemu-system-xtensa"]) writeProgram(name, tool, answer);
  return { MODDABLE: at("sdk"), IDF_PATH: at("idf"), PATH: `${writeProgram(name, "make", "")}:${bare.PATH ?? ""}` };
}

const COMMANDS: readonly (readonly [name: string, options: readonly string[]])[] = [
  ["build", []],
  ["debug", ["--log", "--port", "PORT"]],
  ["release", []],
  ["flash", ["--from", "BUILD", "--port", "PORT"]],
  ["erase", ["--port", "PORT"]],
  ["qemu", ["--image", "IMAGE", "--tcp", "0"]],
];

skipUnless(process.platform === "linux", "what signals leave of the scripts' programs; it looks into /proc").describe(
  "a signal ends the script and all that it has started",
  () => {
    beforeAll(() => {
      writeBuild("BUILD", 0);
      writeFileSync(at("IMAGE"), "image");
    });

    async function expectEnd(
      command: string,
      options: readonly string[],
      code: string,
      signal: NodeJS.Signals,
    ): Promise<number | null> {
      const given = options.map((option) => (/^(BUILD|IMAGE)$/.test(option) ? at(option) : option));
      const program = startScript(command, given, computer(code === POLITE ? "polite" : "stubborn", code));
      program.stderr.resume();
      const said = await until(program, "stdout", /pids \d+ \d+\n/);
      program.stdout.resume();
      const pids = [...said.matchAll(/\d+/g)].map(Number);
      expect(pids.map(isAlive)).toEqual([true, true]);
      const begin = Date.now();
      program.kill(signal);
      await once(program, "exit");
      expect(Date.now() - begin).toBeLessThan(2000);
      await soon(() => !pids.some(isAlive));
      return program.exitCode;
    }

    test.each(COMMANDS)("%s %j", async (command, options) => {
      expect(await expectEnd(command, options, POLITE, "SIGINT")).toBe(130);
      expect(await expectEnd(command, options, STUBBORN, "SIGTERM")).toBe(143);
    });

    test("also SIGHUP", async () => {
      expect(await expectEnd("build", [], STUBBORN, "SIGHUP")).toBe(129);
    });

    test("the monitor after flash", async () => {
      const env = computer("quick", `require("node:fs");`);
      const program = startScript("flash", ["--from", join(at("BUILD")), "--port", "tcp://127.0.0.1:9"], env);
      let said = "";
      program.stderr.on("data", (text) => (said += String(text)));
      await once(program, "close");
      expect([program.exitCode, said]).toEqual([
        2,
        "esp32gpt: tcp://127.0.0.1:9 could not be opened: the connection was refused.\n",
      ]);
    });
  },
);
