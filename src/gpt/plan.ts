import { activationLayout, activationGradientsLayout } from "./model/activations";
import { checkModelConfig, type ModelConfig } from "./model/config";
import { InputError } from "./base/errors";
import type { Layout } from "./model/layout";
import type { Dtype } from "./model/ops";
import { parameterLayout } from "./model/parameters";
import { MAX_OWN_BYTES } from "./data/own-words";
import type { MemoryBudget } from "./base/platform";
import { vocabularyBytes } from "./data/vocabulary";

/*
 * The memory plan: what a configuration needs before any of it is allocated, and which chips have
 * that much. Buffers are counted from the same layouts that allocate them; what XS needs around them
 * was measured on the 32-bit XS host, where a slot is as large as on the ESP32.
 */

/** A buffer, or a named part of one. */
export interface PlannedBuffer {
  readonly name: string;
  readonly bytes: number;
  readonly parts?: readonly PlannedBuffer[];
}

export interface MemoryPlan {
  /** What training allocates, in this order; each is one piece of memory. */
  readonly buffers: readonly PlannedBuffer[];
  /** Bytes of all buffers. */
  readonly bufferBytes: number;
  /** What the chunks hold beside them: the console's, and strings. */
  readonly others: readonly PlannedBuffer[];
  /** XS's heap of buffers and strings. */
  readonly chunks: number;
  /** The largest piece that chunks take after the first; 0 when that is enough. */
  readonly largestGrowth: number;
  /** XS's heap of objects. */
  readonly slots: number;
  /** XS's stack. */
  readonly stack: number;
  /** Chunks, slots and stack: what the engine takes from the device. */
  readonly total: number;
}

/** The sizes with which manifest.json creates the XS machine: bytes, slots, slots. */
export const CREATION = Object.freeze({ chunks: 116000, slots: 2300, stack: 512 });

const FLOAT_BYTES: Readonly<Record<Dtype, number>> = Object.freeze({ f32: 4, f64: 8 });
/** An object's smallest part, on a 32-bit engine. */
export const SLOT_BYTES = 16;
/** Beside the buffers of training. A checkpoint's header comes and goes in several copies. */
const OTHERS: readonly PlannedBuffer[] = Object.freeze([
  Object.freeze({ name: "what waits at the serial port", bytes: 2048 + 256 + 120 }),
  Object.freeze({ name: "words of one's own", bytes: MAX_OWN_BYTES + 1 }),
  Object.freeze({ name: "strings, most of them for a moment", bytes: 14000 }),
]);
const CHUNK_HEADER = 16;
/** By so many bytes the chunks grow, or a multiple of it: chunk.incremental in manifest.json. */
const CHUNK_INCREMENT = 1024;
/** Objects that live while a model trains: those of the engine and program, and those of each layer. */
const BASE_SLOTS = 1400;
const SLOTS_PER_LAYER = 80;
/**
 * Slots and strings of commands that are under way together, at the most: their promises and what their
 * functions hold stay while they wait. Measured by npm run test:soak.
 */
export const COMMANDS_BYTES = 32 << 10;
/** Adam's moments are tensors of a checkpoint as well. */
const ADAM_TENSORS = 2;
/** Bytes of a checkpoint's header for a tensor, and what others may have put there. */
const TENSOR_ENTRY_BYTES = 128;
const FOREIGN_HEADER_BYTES = 16 << 10;
const FOREIGN_TENSORS = 32;
/** The line index of the dataset that comes with the project; it never exceeds 5,120. */
const LINE_INDEX_BYTES = 4036;

/**
 * What training this model takes on the device.
 * @param indexBytes of the dataset's line index
 * @param dtype precision of all numbers; the device has f32
 * @throws InputError for a configuration that no model can have
 */
export function planMemory(config: ModelConfig, indexBytes = LINE_INDEX_BYTES, dtype: Dtype = "f32"): MemoryPlan {
  checkModelConfig(config);
  const floatBytes = FLOAT_BYTES[dtype];
  const parameters = parameterLayout(config).length * floatBytes;
  const buffers: PlannedBuffer[] = [
    { name: "line index", bytes: indexBytes },
    { name: "vocabulary", bytes: vocabularyBytes(config.vocabularySize) },
    { name: "parameters", bytes: parameters },
    withParts("activations", activationLayout(config), floatBytes),
    { name: "gradients", bytes: parameters },
    withParts("gradients between ops", activationGradientsLayout(config), floatBytes),
    { name: "adam.m", bytes: parameters },
    { name: "adam.v", bytes: parameters },
  ];
  const bufferBytes = buffers.reduce((sum, { bytes }) => sum + bytes, 0);
  const { chunks, largestGrowth } = chunksFor(buffers);
  const slots = Math.max(CREATION.slots, BASE_SLOTS + SLOTS_PER_LAYER * config.nLayer) * SLOT_BYTES;
  const stack = CREATION.stack * SLOT_BYTES;
  return { buffers, bufferBytes, others: OTHERS, chunks, largestGrowth, slots, stack, total: chunks + slots + stack };
}

/** XS begins with one piece, and when a buffer does not fit what is left it takes another of its size, rounded up. */
function chunksFor(buffers: readonly PlannedBuffer[]): Pick<MemoryPlan, "chunks" | "largestGrowth"> {
  let chunks: number = CREATION.chunks;
  let largestGrowth = 0;
  let left = chunks - OTHERS.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { bytes } of buffers) {
    const size = bytes + CHUNK_HEADER;
    if (size > left) {
      const growth = Math.ceil((size + CHUNK_HEADER) / CHUNK_INCREMENT) * CHUNK_INCREMENT;
      chunks += growth;
      left += growth;
      largestGrowth = Math.max(largestGrowth, growth);
    }
    left -= size;
  }
  return { chunks, largestGrowth };
}

/** Whether the machine of `plan`, with a console, can be created in `room`: its initial chunks are one piece. */
export function fits(plan: MemoryPlan, memory: MemoryBudget): boolean {
  const { total, largestPiece } = besideCommands(memory);
  return plan.total <= total && Math.max(CREATION.chunks, plan.largestGrowth) <= largestPiece;
}

/** What a model can have where there is a console. */
export function besideCommands({ total, largestPiece }: MemoryBudget): MemoryBudget {
  return { total: total - COMMANDS_BYTES, largestPiece };
}

/**
 * How large the header of a checkpoint may be that a device with this model reads: more than its own has. A header
 * takes no memory but for each tensor, some 400 bytes until it is loaded.
 */
export function headerLimits(config: ModelConfig): { readonly bytes: number; readonly tensors: number } {
  const own = parameterLayout(config).parts.length + ADAM_TENSORS;
  return { bytes: FOREIGN_HEADER_BYTES + TENSOR_ENTRY_BYTES * own, tensors: own + FOREIGN_TENSORS };
}

/** The largest n_embd, a multiple of n_head, with which the model fits; undefined when none does. */
export function largestEmbedding(config: ModelConfig, memory: MemoryBudget, indexBytes?: number): number | undefined {
  return largestThat(config, (candidate) => fits(planMemory(candidate, indexBytes), memory));
}

/**
 * Whether a machine that is running can grow to what the model takes.
 * @param room its initial sizes and what is free beside them; the largest piece of what is free
 * @param indexBytes of the dataset's line index
 * @throws InputError that says what is needed, what there is, and what would fit
 */
export function checkMemory(config: ModelConfig, memory: MemoryBudget, indexBytes: number, dtype: Dtype = "f32"): void {
  const plan = planMemory(config, indexBytes, dtype);
  if (canGrow(plan, memory)) return;
  const largest = largestThat(config, (candidate) => canGrow(planMemory(candidate, indexBytes, dtype), memory));
  const advice =
    largest === undefined
      ? "choose fewer layers, a smaller block_size, or a list with fewer different characters"
      : `n_embd ${largest} would fit`;
  throw new InputError(
    `This model needs ${plan.total} bytes, ${plan.largestGrowth} of them in one piece, but there are ${memory.total} and ${memory.largestPiece}: ${advice}.`,
  );
}

function canGrow(plan: MemoryPlan, memory: MemoryBudget): boolean {
  return plan.total <= memory.total && plan.largestGrowth <= memory.largestPiece;
}

function largestThat(config: ModelConfig, isGood: (config: ModelConfig) => boolean): number | undefined {
  let largest: number | undefined;
  for (let nEmbd = config.nHead; nEmbd <= 4096; nEmbd += config.nHead) {
    const candidate = { ...config, nEmbd };
    if (!isGood(candidate)) break;
    largest = nEmbd;
  }
  return largest;
}

function withParts(name: string, layout: Layout, floatBytes: number): PlannedBuffer {
  return {
    name,
    bytes: layout.length * floatBytes,
    parts: layout.parts.map((part) => ({ name: part.name, bytes: part.rows * part.columns * floatBytes })),
  };
}
