import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BETA1, BETA2 } from "../../src/gpt/training/adam";
import {
  DEFAULT_MODEL,
  type Moments,
  PRESETS,
  type PresetName,
  type TrainingConfig,
  trainingConfig,
} from "../../src/gpt/model/config";
import { Dataset } from "../../src/gpt/data/dataset";
import { bindDataset, loadDocument } from "../../src/gpt/training/document-length";
import { i32Codec } from "../../src/gpt/model/i32-codec";
import { Model } from "../../src/gpt/model/model";
import { canUpdateAtOnce, drawParameters } from "../../src/gpt/model/parameters";
import { Random } from "../../src/gpt/model/random";
import { typescriptOps } from "../../src/gpt/model/typescript-ops";
import { chipOps } from "../../src/gpt/plan";
import { DEFAULT_TRAIN_JOB } from "../../src/jobs/train-job";
import type { Job } from "../../src/jobs/job";
import { Files } from "../../host/files/files";
import { findProgram } from "../../host/xs/programs";
import { buildHost } from "../../host/xs/build";
import { runOnXs } from "../../host/xs/engine";
import { CHIP_FLAGS, OPS, opsSources, ROOT } from "../../host/xs/sources";

/*
 * npm run bench:chip: the instruction counts of the C ops on 32-bit cores: those in single precision with an FPU, and
 * those in i32 without one. They are compiled for RISC-V (rv32imafc and rv32imac), for which a compiler and an emulator
 * are widely available, and run in QEMU, which counts instructions. The figures are the same on every run and every
 * computer.
 *
 *   --march NAME    only one of the machines
 *   --check         fails if a count is more than 2 % above that in counts.json, or if the parameters after a training
 *                   are not bit-identical to those that the device simulator's XS computes
 *   --write         writes counts.json
 */

const COMPILER = "riscv64-unknown-elf-gcc";
const SIMULATOR = "qemu-system-riscv32";
/** The ESP32's FPU has 16 registers, RISC-V's has 32: reserve half of them, so that register pressure is the same. */
const HELD_BACK = [...Array.from({ length: 12 }, (_, i) => `fs${i}`), "ft8", "ft9", "ft10", "ft11"];

/** A training with a preset's defaults, or with other moments. */
interface Training {
  readonly preset: PresetName;
  readonly moments?: Moments;
}

interface Machine {
  readonly name: string;
  readonly flags: readonly string[];
  /** Flags of what is counted only. */
  readonly limits: readonly string[];
  readonly remark: string;
  readonly dtype: "f32" | "i32";
  /** The program in scripts/c. */
  readonly floor: string;
  readonly trainings: readonly Training[];
}

const MACHINES: readonly Machine[] = [
  {
    name: "rv32imafc",
    // The ESP32's FPU has no instructions for square root and division.
    flags: ["-march=rv32imafc", "-mabi=ilp32f", "-DGPT_NEWTON"],
    limits: HELD_BACK.map((register) => `-ffixed-${register}`),
    remark: ", 16 registers for floats",
    dtype: "f32",
    floor: "floor.c",
    trainings: [{ preset: "esp32gpt" }, { preset: "esp32gpt", moments: "bf16" }, { preset: "tuned" }],
  },
  {
    name: "rv32imac",
    flags: ["-march=rv32imac", "-mabi=ilp32", "-DI32"],
    limits: [],
    remark: "",
    dtype: "i32",
    floor: "floor_i32.c",
    trainings: [{ preset: "esp32gpt" }, { preset: "tuned" }],
  },
];
/** picolibc with its own start code and linker script; printf uses semihosting. */
const LIBRARY = ["--specs=picolibc.specs", "--crt0=semihost", "--oslib=semihost"];
const MEMORY = ["__flash=0x80000000", "__flash_size=0x400000", "__ram=0x80400000", "__ram_size=0x400000"];

const NAMES_FILE = join(ROOT, "data", "names.txt");
const COUNTS_FILE = join(ROOT, "scripts", "chip", "counts.json");
const SEED = 42;
const MAX_RISE = 0.02;

/** The kernels in the order of count.h. */
const KERNELS = [
  ...["embedding forward", "qkv forward", "attention forward", "wo forward", "mlp forward", "wout forward", "softmax"],
  ...["wout backward", "mlp backward", "wo backward", "attention backward", "qkv backward", "embedding backward"],
  "adam",
] as const;

/** Mean instructions per step over the first N steps: of each kernel, and in total. */
interface Counts {
  readonly steps: number;
  readonly kernels: Readonly<Record<string, number>>;
}

/** The counts of each training on each machine. */
interface Table {
  readonly compiler: string;
  readonly machines: Readonly<Record<string, Readonly<Record<string, Counts>>>>;
}

process.exitCode = await main(process.argv.slice(2));

async function main(options: readonly string[]): Promise<number> {
  const missing = [COMPILER, SIMULATOR].filter((name) => findProgram(name) === undefined);
  if (missing.length === 0 && !hasLibrary()) missing.push("picolibc");
  if (missing.length > 0) {
    const packages = "gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf qemu-system-misc";
    console.error(`bench:chip needs ${missing.join(", ")}: apt-get install ${packages} (the names are Debian's).`);
    return 2;
  }
  const at = options.indexOf("--march");
  const machines = MACHINES.filter(({ name }) => at < 0 || name === options[at + 1]);
  if (machines.length === 0) {
    console.error(`--march can be ${MACHINES.map(({ name }) => name).join(" or ")}.`);
    return 2;
  }
  const compiler = execFileSync(COMPILER, ["--version"], { encoding: "utf8" }).split("\n")[0];
  const counted = machines.map((machine) => [machine.name, countsOn(machine, compiler)] as const);
  const table: Table = { compiler, machines: Object.fromEntries(counted) };
  if (options.includes("--write")) {
    const others = machines.length < MACHINES.length ? knownTable().machines : {};
    const all = { compiler, machines: { ...others, ...table.machines } };
    writeFileSync(COUNTS_FILE, `${JSON.stringify(all, null, 2)}\n`);
  }
  if (!options.includes("--check")) return 0;
  let result = check(table);
  for (const machine of machines) result = Math.max(result, await compareBits(machine));
  return result;
}

/** Counts and prints the instructions of a machine. */
function countsOn(machine: Machine, compiler: string): Record<string, Counts> {
  console.log(`\n${compiler}; ${[...machine.flags, ...CHIP_FLAGS].join(" ")}${machine.remark}`);
  const table: Record<string, Counts> = {};
  for (const training of machine.trainings) {
    const { preset, ...wanted } = training;
    const config = trainingConfig(preset, wanted);
    const { counts } = onRiscv(machine, preset, config, machine.limits);
    printTable(nameOf(training), config, counts);
    table[nameOf(training)] = counts[counts.length - 1];
  }
  return table;
}

function nameOf({ preset, moments }: Training): string {
  return moments ? `${preset}, moments=${moments}` : preset;
}

function knownTable(): Table {
  return JSON.parse(readFileSync(COUNTS_FILE, "utf8")) as Table;
}

/** On Debian the C library is a separate package. */
function hasLibrary(): boolean {
  return spawnSync(COMPILER, ["--specs=picolibc.specs", "-E", "-x", "c", "/dev/null"]).status === 0;
}

/**
 * Trains on the emulated core, compiled with these flags.
 * @param first initial parameters. The default are those that V8 draws, whose logarithms and cosines differ from
 * XS's; not so in i32.
 */
function onRiscv(
  machine: Machine,
  preset: PresetName,
  config: TrainingConfig,
  flags: readonly string[],
  first?: ArrayLike<number>,
): { readonly counts: readonly Counts[]; readonly hash: string } {
  const folder = join(ROOT, "build", "chip", machine.name, preset);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "drawn.h"), drawn(machine, preset, config, first));
  const c = join(ROOT, "scripts", "c");
  const chip = join(ROOT, "scripts", "chip");
  const program = join(folder, "bench.elf");
  const sources = [join(chip, "main.c"), join(chip, "memory.c"), join(c, machine.floor), ...opsSources()];
  const includes = [folder, chip, c, OPS].map((path) => `-I${path}`);
  const { relativeBias, rmsNorm } = PRESETS[preset];
  const shape = {
    RELATIVE_BIAS: Number(relativeBias),
    RMS_NORM: Number(rmsNorm),
    DOCUMENTS: config.batchSize,
    UPDATES: Number(canUpdateAtOnce({ ...DEFAULT_MODEL, preset }, chipOps(machine.dtype), config)),
  };
  const words = config.moments === "bf16" && machine.dtype === "f32" ? ["-DMOMENT_WORDS"] : [];
  const defines = ["-DCOUNT_CALLS", ...words, ...Object.entries(shape).map(([name, value]) => `-D${name}=${value}`)];
  const memory = MEMORY.map((symbol) => `-Wl,--defsym=${symbol}`);
  const strict = ["-Wall", "-Wextra", "-Werror"];
  const options = [
    ...LIBRARY,
    ...machine.flags,
    ...CHIP_FLAGS,
    ...flags,
    ...strict,
    ...defines,
    ...includes,
    ...memory,
  ];
  execFileSync(COMPILER, [...options, ...sources, "-lm", "-o", program], { stdio: ["ignore", "inherit", "inherit"] });
  const virtual = ["-machine", "virt", "-m", "16", "-bios", "none", "-icount", "shift=0"];
  const output = ["-display", "none", "-serial", "none", "-monitor", "none"];
  const semihosting = ["-chardev", "stdio,id=out", "-semihosting-config", "enable=on,target=native,chardev=out"];
  const text = execFileSync(SIMULATOR, [...virtual, ...output, ...semihosting, "-kernel", program], {
    encoding: "utf8",
    timeout: 300_000, // A crash on bare metal loops forever.
  });
  const lines = text.trimEnd().split(/\r?\n/);
  return { counts: lines.slice(0, -1).map(readCounts), hash: lines[lines.length - 1] };
}

/** Parses a line of main.c: steps, the last loss, and the cumulative instructions of each kernel. */
function readCounts(line: string): Counts {
  const [steps, , ...sums] = line.split(" ").map(Number);
  if (sums.length !== KERNELS.length) throw new Error(`bench.elf printed "${line}".`);
  const means = sums.map((sum) => Math.round(sum / steps));
  const all = Math.round(sums.reduce((a, b) => a + b) / steps);
  return { steps, kernels: Object.fromEntries([...KERNELS.map((name, i) => [name, means[i]] as const), ["all", all]]) };
}

/** The parameters, documents and learning rates of a training, as a C header for main.c. */
function drawn(
  { dtype }: Machine,
  preset: PresetName,
  { steps, batchSize, learningRate, sampling }: TrainingConfig,
  first?: ArrayLike<number>,
): string {
  const random = new Random(SEED);
  const model = new Model({ ...DEFAULT_MODEL, preset }, typescriptOps(dtype));
  drawParameters(model.parameters, random, model.config, model.ops);
  const { pow } = model.ops.functions;
  const real = dtype === "i32" ? String : float;
  const dataset = new Dataset(readFileSync(NAMES_FILE), NAMES_FILE);
  bindDataset(model, dataset);
  const tokens = new Uint8Array(model.config.blockSize + 1);
  const names = Array.from({ length: steps * batchSize }, (_, i) => {
    const index = sampling === "random" ? random.index(dataset.count) : i % dataset.count;
    const rows = loadDocument(model, dataset, index, tokens);
    return `${rows},${tokens.join()}`;
  });
  const stepNumbers = Array.from({ length: steps }, (_, step) => step);
  const rates = stepNumbers.map((step) => (learningRate * (1 - step / steps)) / (1 - pow(BETA1, step + 1)));
  const scales = stepNumbers.map((step) => 1 / (1 - pow(BETA2, step + 1)));
  const weight = PRESETS[preset].weighs === "tokens" ? 1 / (dataset.meanTokens * batchSize) : 0;
  return [
    `enum { STEPS = ${steps}, BATCH = ${batchSize} };`,
    `#define TOKEN_WEIGHT ${float(weight)}`,
    `static const Number drawn_parameters[PARAMETERS] = {\n${Array.from(first ?? model.parameters, real).join(",\n")}\n};`,
    `static const uint8_t drawn_names[] = {\n${names.join(",\n")}\n};`,
    `static const Real rates[] = {\n${rates.map(real).join(",\n")}\n};`,
    `static const Real v_scales[] = {\n${scales.map(real).join(",\n")}\n};\n`,
  ].join("\n");
}

function float(value: number): string {
  return `${Math.fround(value).toExponential(12)}f`;
}

function printTable(name: string, { batchSize }: TrainingConfig, counts: readonly Counts[]): void {
  const names = batchSize === 1 ? "a name" : `${batchSize} names`;
  console.log(`\npreset ${name}: instructions a step of ${names}, mean of the first steps`);
  console.log(
    row(
      "",
      counts.map(({ steps }) => steps.toLocaleString("en")),
    ),
  );
  for (const kernel of [...KERNELS, "all"])
    console.log(
      row(
        kernel,
        counts.map(({ kernels }) => kernels[kernel].toLocaleString("en")),
      ),
    );
  if (counts[0].kernels.adam === 0) console.log("  The backward passes update the weights: Adam is in their rows.");
}

function row(name: string, figures: readonly string[]): string {
  return `  ${name.padEnd(24)}${figures.map((figure) => figure.padStart(12)).join("")}`;
}

/** Compares the counts with counts.json; skipped for another compiler, which generates other code. */
function check({ compiler, machines }: Table): number {
  const known = knownTable();
  if (known.compiler !== compiler) {
    console.log(`\nNot checked: counts.json is of ${known.compiler}.`);
    return 0;
  }
  const rises = Object.entries(machines).flatMap(([machine, trainings]) =>
    Object.entries(known.machines[machine]).flatMap(([training, counts]) =>
      Object.entries(counts.kernels).flatMap(([name, before]) => {
        const now = trainings[training].kernels[name];
        const words = `${machine}, ${training}, ${name}: ${now} instructions, ${before} before`;
        return now <= before * (1 + MAX_RISE) ? [] : [words];
      }),
    ),
  );
  console.log(rises.length > 0 ? `\n${rises.join("\n")}` : "\nNo count has risen by more than 2 %.");
  return rises.length > 0 ? 1 : 0;
}

/**
 * Compares the parameters computed by a RISC-V core and by the simulator's XS. Returns 1 if they differ.
 */
async function compareBits(machine: Machine): Promise<number> {
  const isFloat = machine.dtype === "f32";
  let differences = 0;
  console.log(`\nparameters after 1,000 steps, on RISC-V (${machine.name}) and on XS:`);
  for (const training of [...machine.trainings, { preset: "microgpt" } satisfies Training]) {
    const { preset, ...wanted } = training;
    const config = trainingConfig(preset, { ...wanted, steps: 1000 });
    const first = isFloat ? await onXs(machine, preset, { steps: 1, learningRate: 0 }) : undefined;
    const { hash } = onRiscv(machine, preset, config, [], first);
    const other = fnv1a(await onXs(machine, preset, config));
    console.log(row(nameOf(training), [hash, other]));
    if (hash !== other) differences++;
  }
  return Math.min(differences, 1);
}

/** The parameters after the same training on XS, with the loops of the chip. */
async function onXs(
  { dtype }: Machine,
  preset: PresetName,
  training: Partial<TrainingConfig>,
): Promise<Float32Array | Int32Array> {
  const { signal: ending } = new AbortController();
  const folder = mkdtempSync(join(tmpdir(), "esp32gpt-"));
  const save = join(folder, "model.safetensors");
  const job: Job = { ...DEFAULT_TRAIN_JOB, dtype, model: { preset }, training, seed: SEED, samples: 0, save };
  try {
    const executable = await buildHost({ bits: 64, loops: "chip" }, () => undefined, ending);
    await runOnXs(
      {
        job,
        names: NAMES_FILE,
        files: new Files(ending),
        emit(event) {
          if (event.type === "error") throw new Error(event.message);
        },
        emitsAllSteps: false,
        whenReady: (callback) => callback(),
        ending,
      },
      { executable, bits: 64 },
    );
    const bytes = readFileSync(save);
    // The parameters are the first tensors of a checkpoint, in buffer order.
    const start = 8 + Number(bytes.readBigUInt64LE());
    const { parameters } = new Model({ ...DEFAULT_MODEL, preset }, typescriptOps(dtype));
    const floats = new Float32Array(Uint8Array.from(bytes.subarray(start, start + parameters.byteLength)).buffer);
    if (!(parameters instanceof Int32Array)) return floats;
    i32Codec.encode(parameters, 0, floats, "weights");
    return parameters;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function fnv1a({ buffer }: Float32Array | Int32Array): string {
  let value = 2166136261;
  for (const byte of new Uint8Array(buffer)) value = Math.imul(value ^ byte, 16777619) >>> 0;
  return value.toString(16).padStart(8, "0");
}
