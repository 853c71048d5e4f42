import { createServer } from "node:net";
import { readFileSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { FakeDevice } from "./fake-device";

/*
 * A board that is none, as a program of its own: on its standard input and output, or with `--listen PORT`
 * for one connection after the other. It "trains" by a formula, in real time.
 */

const [, , ...options] = process.argv;
const valueOf = (name: string): string | undefined =>
  options.includes(name) ? options[options.indexOf(name) + 1] : undefined;

const interval = Number(valueOf("--interval") ?? 20);
const steps = Number(valueOf("--steps") ?? 5000);
const file = valueOf("--file");
const protocol = valueOf("--protocol") ?? "1";
const isQuiet = options.includes("--quiet");

function serve(input: Readable, output: Writable): void {
  const device = new FakeDevice(
    (line) => output.write(`${line}\r\n`),
    file === undefined ? new Uint8Array(1000) : Uint8Array.from(readFileSync(file)),
    { protocol: protocol === "none" ? undefined : Number(protocol) },
  );
  if (options.includes("--json")) device.receive("set log json");
  let rest = "";
  input.on("data", (bytes: Buffer) => {
    const lines = (rest + bytes.toString("latin1")).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") device.receive(Buffer.from(line.trim(), "latin1").toString());
  });
  let step = 0;
  const timer = setInterval(() => {
    if (isQuiet) return;
    const every = Math.max(1, Math.round(steps / 250));
    for (let i = 0; i < every && step < steps; i++, step++)
      if (step % 100 === 0 || i === every - 1) tell(device, output, step);
    if (step >= steps) step = 0;
  }, interval);
  input.on("end", () => {
    clearInterval(timer);
    if (input === process.stdin) process.exit(0);
  });
  input.on("error", () => clearInterval(timer));
}

function tell(device: FakeDevice, output: Writable, step: number): void {
  const mean = 2.2 + 1.1 * Math.exp(-step / (steps / 7)) + 0.05 * Math.sin(step * 7.3);
  const isLogged = step % 100 === 0;
  const loss = mean + 0.4 * Math.sin(step * 3.1);
  if (!device.isJson && isLogged)
    output.write(`step ${String(step).padStart(4)}/${steps}: loss = ${loss.toFixed(4)}\r\n`);
  device.tell("step", {
    step,
    steps,
    loss,
    mean,
    learningRate: 0.01,
    name: 7,
    isLogged,
    ...(step % 500 === 0 && step > 0 ? { validationLoss: mean + 0.08 } : {}),
  });
}

const port = valueOf("--listen");
if (port === undefined) serve(process.stdin, process.stdout);
else
  createServer((socket) =>
    serve(
      socket,
      socket.on("error", () => undefined),
    ),
  ).listen(Number(port), "127.0.0.1", () => console.log("ready"));
