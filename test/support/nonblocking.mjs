// nonblocking.mjs PIPE PROGRAM …: runs the program with a standard input that does not block.
import { spawn } from "node:child_process";
import { constants, openSync } from "node:fs";

const [pipe, program, ...options] = process.argv.slice(2);
const input = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
const child = spawn(program, options, { stdio: [input, "pipe", "inherit"] });
process.stdout.write("open\n");
child.stdout?.once("data", (text) => {
  process.stdout.write(text);
  child.kill();
});
