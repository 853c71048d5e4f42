import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { transformSync } from "@swc/core";
import { rollup } from "rollup";
import type { Loops } from "../../host/xs/sources";
import type { Loss } from "../../src/gpt/training/events";
import { NAMES_FILE, ROOT } from "../helpers";
import { type Outcome, outcomeOf } from "./cli";

/** Whether XS is the Moddable SDK's: npm run test:moddable. */
export const IS_MODDABLE = process.env.ESP32GPT_XS === "moddable";

/** Whether the C compiler makes 32-bit programs. */
export function makes32Bits(): boolean {
  try {
    const check = `echo '#include <stdio.h>\nint main(void) { return 0; }' | ${process.env.CC ?? "cc"} -m32 -x c - -o /dev/null`;
    execFileSync("sh", ["-c", check], { stdio: "pipe" });
    return true;
  } catch {
    return false;
  }
}

/** Starts the program of a copy of the package, or with other environment variables. */
export function startElsewhere(
  root: string,
  environment: NodeJS.ProcessEnv,
  ...options: string[]
): ChildProcessWithoutNullStreams {
  const env = { ...process.env, ...environment };
  return spawn(process.execPath, [join("bin", "esp32gpt.js"), ...options], { cwd: root, env });
}

/** The XS host as the command line builds it, with the loops of train or of simulate. */
export async function hostExecutable(loops: Loops = "desktop"): Promise<string> {
  const options = loops === "chip" ? ["simulate", "steps=1"] : ["train", "--steps", "1", "--samples", "0"];
  const builder = startElsewhere(ROOT, {}, ...options, "--engine", "xs");
  builder.stdin.end();
  const { code, stderr } = await outcomeOf(builder);
  if (code !== 0) throw new Error(stderr);
  const variants = [
    IS_MODDABLE ? ["moddable"] : [],
    process.env.ESP32GPT_XS_VARIANT === "sanitize" ? ["sanitize"] : [],
  ];
  const folder = join(ROOT, "build", "xs", [64, ...variants.flat()].join("-"));
  const programs = readdirSync(folder).filter((file) => file.startsWith(`esp32gpt-xs-${loops}-`));
  if (programs.length !== 1) throw new Error(`${programs.length} XS hosts in ${folder}`);
  return join(folder, programs[0]);
}

/**
 * Makes one JavaScript file of a TypeScript file and all that it imports.
 * @param files those of imports that are not relative, by name
 */
export async function bundle(
  source: string,
  output: string,
  files: Readonly<Record<string, string>> = {},
): Promise<void> {
  const build = await rollup({
    input: source,
    plugins: [
      {
        name: "typescript",
        resolveId: (id, importer) => files[id] ?? (importer === undefined ? id : join(dirname(importer), `${id}.ts`)),
        transform: (code) => ({
          code: transformSync(code, { jsc: { parser: { syntax: "typescript" }, target: "es2023" } }).code,
          map: null,
        }),
      },
    ],
  });
  await build.write({ file: output, format: "es" });
  await build.close();
}

/** More memory than a device has: for tests of other things. */
const ROOMY = ["--chunks", "4000000", "--slots", "60000", "--stack", "4096", "--heap-limit", "67108864"];

/** Runs a bundle to its end. */
export function runOnHost(executable: string, file: string): Promise<Outcome> {
  return outcomeOf(spawn(executable, ["--bundle", file, "--names", NAMES_FILE, ...ROOMY]));
}

export interface HostStart {
  readonly options?: readonly string[];
  /** What a shell does; the host's command line is "$0" "$@". */
  readonly shell?: string;
  readonly environment?: NodeJS.ProcessEnv;
}

/** Starts a bundle as a shell starts it. */
export function startHost(
  executable: string,
  file: string,
  { options = [], shell = 'exec "$0" "$@"', environment = {} }: HostStart = {},
): ChildProcessWithoutNullStreams {
  const env = { ...process.env, ...environment };
  return spawn("sh", ["-c", shell, executable, "--bundle", file, ...ROOMY, ...options], { env });
}

/** A bundle on XS that answers each line of JSON with another. */
export class HostProcess {
  hasEnded = false;
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly outcome: Promise<Outcome>;
  private readonly waiting: ((line: string) => void)[] = [];

  constructor(executable: string, file: string) {
    this.child = spawn(executable, ["--bundle", file, "--names", NAMES_FILE, ...ROOMY]);
    this.outcome = outcomeOf(this.child).finally(() => (this.hasEnded = true));
    this.child.stdin.on("error", () => undefined); // Whoever waits learns that it has ended.
    createInterface(this.child.stdout).on("line", (line) => this.waiting.shift()?.(line));
  }

  async ask(question: object): Promise<unknown> {
    const line = await new Promise<string>((resolve, reject) => {
      this.waiting.push(resolve);
      void this.outcome.then(({ code, stderr }) => {
        reject(new Error(`XS ended with ${code ?? "a signal"}: ${stderr}`));
      });
      this.child.stdin.write(`${JSON.stringify(question)}\n`);
    });
    return JSON.parse(line);
  }

  /** Lets it end, and returns how it did. */
  end(): Promise<Outcome> {
    this.child.stdin.end();
    return this.outcome;
  }
}

/** A line of what --jsonl writes. */
export interface StepRecord {
  readonly step: number;
  readonly loss: Loss;
  readonly name: number;
}

export function readRecords(file: string): StepRecord[] {
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as StepRecord);
}

/** The losses of a training that passed over no name. */
export function lossesOf(records: readonly StepRecord[]): number[] {
  return records.map(({ loss }) => Number(loss));
}

/** What --stats ends with. */
export interface Statistics {
  readonly engine: string;
  readonly ops: string;
  readonly steps: number;
  readonly bytecodesPerStep: number;
  readonly heap: { readonly slots: number; readonly chunks: number; readonly stack: number; readonly peak: number };
  readonly collections: number;
}

/** The log of a run with --stats, and the statistics behind it. */
export function splitStatistics(stdout: string): [log: string, statistics: Statistics] {
  const end = stdout.lastIndexOf("\n", stdout.length - 2) + 1;
  return [stdout.slice(0, end), JSON.parse(stdout.slice(end)) as Statistics];
}
