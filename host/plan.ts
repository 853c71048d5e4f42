import { type Chip, CHIPS } from "../src/places/chips";
import type { ModelConfig } from "../src/gpt/model/config";
import type { Dtype } from "../src/gpt/model/ops";
import { InputError } from "../src/gpt/base/errors";
import type { Vocabulary } from "../src/gpt/data/vocabulary";
import { planInference } from "../src/gpt/plan-inference";
import {
  chipOps,
  COMMANDS_BYTES,
  fits,
  largestEmbedding,
  type PlannedBuffer,
  planMemory,
  type TrainingToPlan,
} from "../src/gpt/plan";

/** A training to plan for chips: with their ops. */
interface Planned extends Omit<TrainingToPlan, "ops"> {
  /** By default f32, and for each chip its own. */
  readonly dtype?: Dtype | undefined;
}

/** The memory plan of a model as a table. */
export function formatPlan(config: ModelConfig, planned: Planned): string {
  const { dtype } = planned;
  const plan = planMemory(config, onChip(planned));
  const { buffers, bufferBytes, others, chunks, slots, stack, total } = plan;
  const lines = [
    `Training ${shapeOf(config)}, needs on a device, in ${dtype ?? "f32"}, in bytes:`,
    "",
    ...buffers.flatMap((buffer) => bufferLines(buffer)),
    row("buffers in all", bufferBytes),
    ...others.map(({ name, bytes: size }) => row(name, size)),
    "",
    row("XS chunks: all of these, and room to begin with", chunks),
    row("XS slots: objects", slots),
    row("XS stack", stack),
    row("in all", total),
    row("and for commands in progress", COMMANDS_BYTES),
    "",
    "Does it fit?",
  ];
  for (const { name, memory, source, arithmetic, doesFit, largest } of verdictsOf(config, planned)) {
    const verdict = doesFit ? "fits" : "does not fit";
    lines.push(
      `  ${`${name}, ${arithmetic}`.padEnd(32)} ${verdict.padEnd(13)} ${bytes(memory.total)} in all, ${bytes(memory.largestPiece)} in one piece; ` +
        `largest n_embd that fits: ${largest ?? "none"}`,
      `${" ".repeat(35)}${source}`,
    );
  }
  return `${lines.join("\n")}\n`;
}

/** The memory plan as one line of JSON. */
export function planAsJson(config: ModelConfig, planned: Planned): string {
  const plan = planMemory(config, onChip(planned));
  const chips = verdictsOf(config, planned).map(
    ({ name, key, memory, source, arithmetic, doesFit, largest = null }) => ({
      name,
      key,
      ...memory,
      source,
      dtype: arithmetic,
      fits: doesFit,
      largestEmbedding: largest,
    }),
  );
  return `${JSON.stringify({ config, ...plan, commands: COMMANDS_BYTES, chips })}\n`;
}

/**
 * What a model takes that is not trained, as a table or as one line of JSON.
 * @throws InputError for f64
 */
export function formatInferencePlan(
  config: ModelConfig,
  vocabulary: Vocabulary,
  { dtype = "f32", json }: { readonly dtype?: Dtype; readonly json: boolean },
): string {
  if (dtype === "f64") throw new InputError("--inference needs --dtype f32 or i32: no device has weights in f64.");
  const plan = planInference(config, dtype, vocabulary);
  if (json) return `${JSON.stringify({ config, dtype, ...plan })}\n`;
  const lines = [
    `Using ${shapeOf(config)}, takes on a device, in ${dtype}, in bytes:`,
    "",
    row("flash: the resource that export writes", plan.flash),
    ...plan.buffers.map(({ name, bytes: size }) => row(`RAM: ${name}`, size)),
    row("RAM in all, beside the objects of the engine", plan.bufferBytes),
  ];
  return `${lines.join("\n")}\n`;
}

function shapeOf({ nLayer, nEmbd, nHead, blockSize, vocabularySize }: ModelConfig): string {
  return `n_layer ${nLayer}, n_embd ${nEmbd}, n_head ${nHead}, block_size ${blockSize}, ${vocabularySize} tokens`;
}

interface Verdict extends Chip {
  readonly arithmetic: Dtype;
  readonly doesFit: boolean;
  readonly largest: number | undefined;
}

/** For each chip, whether the model fits it. */
function verdictsOf(config: ModelConfig, planned: Planned): readonly Verdict[] {
  return CHIPS.map((chip) => {
    const arithmetic = planned.dtype ?? chip.dtype;
    const toPlan = onChip(planned, arithmetic);
    const doesFit = fits(planMemory(config, toPlan), chip.memory);
    return { ...chip, arithmetic, doesFit, largest: largestEmbedding(config, chip.memory, toPlan) };
  });
}

function onChip({ dtype, ...others }: Planned, arithmetic = dtype): TrainingToPlan {
  return { ...others, ops: chipOps(arithmetic) };
}

function bufferLines({ name, bytes, parts = [] }: PlannedBuffer, indent = 2): string[] {
  return [row(name, bytes, indent), ...parts.flatMap((part) => bufferLines(part, indent + 2))];
}

function row(name: string, value: number, indent = 2): string {
  return `${" ".repeat(indent)}${name.padEnd(56 - indent)}${bytes(value).padStart(indent > 2 ? 12 : 10)}`;
}

function bytes(value: number): string {
  return value.toLocaleString("en-US");
}
