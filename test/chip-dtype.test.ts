import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { findProgram } from "../host/xs/programs";
import { CHIPS } from "../src/places/chips";
import { ROOT } from "./helpers";
import { skipUnless } from "./support/skipping";

/*
 * The dtype of a chip in chips.ts, from which memory plans and build:esp32 go, against what the native module takes
 * from the compiler: whether the processor has an FPU.
 */

const RISCV = "riscv64-unknown-elf-gcc";
/** The processors of Espressif's RISC-V chips, by the end of their names. */
const PROCESSORS = { C3: "rv32imc", C6: "rv32imac" };

const riscv = CHIPS.flatMap((chip) => {
  const [, march] = Object.entries(PROCESSORS).find(([name]) => chip.name.endsWith(name)) ?? [];
  return march === undefined ? [] : [{ ...chip, march }];
});
const xtensa = CHIPS.filter(({ name }) => /^ESP32(-S3|,| WROVER|$)/.test(name));

/** Whether gpt_target.h says that there is an FPU. */
function hasFpu(compiler: string, flags: readonly string[]): boolean {
  const header = join(ROOT, "src", "gpt", "native", "gpt_target.h");
  const macros = execFileSync(compiler, [...flags, "-dM", "-E", header], { encoding: "utf8" });
  return /^#define GPT_FPU\b/m.test(macros);
}

skipUnless(findProgram(RISCV) !== undefined, `what ${RISCV} says of an FPU`).test.each(riscv)(
  "$name",
  ({ march, dtype }) => {
    expect(hasFpu(RISCV, [`-march=${march}`, "-mabi=ilp32"])).toBe(dtype === "f32");
  },
);

// There is no compiler for Xtensa here: its FPU is the macro that GCC defines for a fused multiply-add.
skipUnless(findProgram("gcc") !== undefined, "what gcc says of an FPU").test.each(xtensa)("$name", ({ dtype }) => {
  const other = ["-U__SSE2__", "-D__XTENSA__", "-D__FP_FAST_FMAF=1"];
  expect([hasFpu("gcc", other), hasFpu("gcc", other.slice(0, 2))]).toEqual([dtype === "f32", false]);
});

test("every chip was tried", () => {
  expect(riscv.length + xtensa.length).toBe(CHIPS.length);
});
