import { activationLayout, activationGradientsLayout } from "./model/activations";
import {
  checkModelConfig,
  checkTrainingConfig,
  type ModelConfig,
  type TrainingConfig,
  trainingConfig,
} from "./model/config";
import { InputError } from "./base/errors";
import type { Layout } from "./model/layout";
import type { Dtype, Ops } from "./model/ops";
import { areMomentsInWords, canUpdateAtOnce, gradientLayout, parameterLayout } from "./model/parameters";
import { MAX_OWN_BYTES } from "./data/own-words";
import type { MemoryBudget } from "./base/platform";
import { CONSTANTS } from "./training/adam";
import { vocabularyBytes } from "./data/vocabulary";

/*
 * The memory plan: what a configuration needs before any of it is allocated, and which chips have
 * that much. The sizes of buffers come from the layouts that allocate them; what XS needs beside them
 * was measured on the 32-bit XS host, where a slot is as large as on the ESP32.
 */

/** A buffer, or a named part of one. */
export interface PlannedBuffer {
  readonly name: string;
  readonly bytes: number;
  readonly parts?: readonly PlannedBuffer[];
}

export interface MemoryPlan {
  /** The buffers that training allocates, in this order; each is one contiguous block. */
  readonly buffers: readonly PlannedBuffer[];
  /** Total bytes of the buffers. */
  readonly bufferBytes: number;
  /** What else is in the chunk heap: queues, user words, strings. */
  readonly others: readonly PlannedBuffer[];
  /** Bytes of XS's chunk heap: buffers and strings. */
  readonly chunks: number;
  /** Bytes of the blocks by which the chunk heap grows for the buffers, in their order. */
  readonly growths: readonly number[];
  /** Bytes of the largest of them; 0 if its initial size is enough. */
  readonly largestGrowth: number;
  /** Bytes of XS's slot heap: objects. */
  readonly slots: number;
  /** Bytes of XS's stack. */
  readonly stack: number;
  /** Bytes of chunks, slots and stack: what the engine allocates on the device. */
  readonly total: number;
}

/**
 * The sizes with which manifest.json creates the XS machine: chunks in bytes, the others in slots. The chunks are those
 * beside the buffers of training, so that each large buffer becomes a block of its own size; the slots are those of a
 * model with one layer while it is saved, which every training does.
 */
export const CREATION = Object.freeze({ chunks: 20000, slots: 2112, stack: 512 });

const NUMBER_BYTES: Readonly<Record<Dtype, number>> = Object.freeze({ f32: 4, f64: 8, i32: 4 });
/** Size of a slot on a 32-bit engine. */
export const SLOT_BYTES = 16;
/** Chunks beside the buffers of training. The strings include several copies of a checkpoint's header. */
const OTHERS: readonly PlannedBuffer[] = Object.freeze([
  Object.freeze({ name: "queues of the serial port", bytes: 2048 + 256 + 120 }),
  Object.freeze({ name: "words of your own", bytes: MAX_OWN_BYTES + 1 }),
  Object.freeze({ name: "strings, most of them temporary", bytes: 14000 }),
]);
const CHUNK_HEADER = 16;
const BLOCK_HEADER = 16;
/** Of a block that malloc has given; ESP-IDF's takes 4 bytes. */
const MALLOC_HEADER = 16;
/** The chunk heap grows by multiples of this: chunk.incremental in manifest.json. */
const CHUNK_INCREMENT = 1024;
/** Slots in use while a model is saved or restored: those of the engine and the program, and those of each layer. */
const BASE_SLOTS = 1856;
const SLOTS_PER_LAYER = 256;
/**
 * Maximum slots and strings of the commands that are pending at the same time: their promises and closures
 * stay allocated while they wait. Measured by npm run test:soak.
 */
export const COMMANDS_BYTES = 32 << 10;
/** adam.m and adam.v are tensors of a checkpoint as well. */
const ADAM_TENSORS = 2;
/** Bytes of a checkpoint's header for each tensor, and an allowance for what other tools put there. */
const TENSOR_ENTRY_BYTES = 128;
const FOREIGN_HEADER_BYTES = 16 << 10;
const FOREIGN_TENSORS = 32;
/** Size of the default dataset's line index; that of any dataset is at most 5,120. */
const LINE_INDEX_BYTES = 4036;

/** What the memory of a training depends on beside the model. */
export interface TrainingToPlan {
  /** Size of the dataset's line index; that of the default dataset by default. */
  readonly indexBytes?: number | undefined;
  /** The ops; those of a chip in f32 by default. */
  readonly ops?: PlannedOps | undefined;
  /** By default what the preset has. */
  readonly training?: Partial<Pick<TrainingConfig, "batchSize" | "moments">> | undefined;
}

/** What the memory of a training depends on of its ops. */
export type PlannedOps = Pick<Ops, "dtype" | "canUpdate">;

/** The most numbers in a row, and of a bias, that the ops for chips update at once: GPT_STRIP in C. */
export const MAX_UPDATE = 256;

/** The ops in C on a chip, in f32 or i32. */
export function chipOps(dtype: Dtype = "f32"): PlannedOps {
  return { dtype, canUpdate: (width, bias) => dtype !== "f64" && width <= MAX_UPDATE && bias <= MAX_UPDATE };
}

/**
 * The memory that training this model takes on the device.
 * @throws InputError for an invalid configuration
 */
export function planMemory(config: ModelConfig, toPlan: TrainingToPlan = {}): MemoryPlan {
  checkModelConfig(config);
  const { indexBytes = LINE_INDEX_BYTES, ops = chipOps() } = toPlan;
  const { dtype } = ops;
  const training = trainingConfig(config.preset, toPlan.training ?? {});
  checkTrainingConfig(training);
  const { batchSize, moments = "f32" } = training;
  const numberBytes = NUMBER_BYTES[dtype];
  const parameters = parameterLayout(config).length * numberBytes;
  const gradients = gradientLayout(config, dtype, batchSize).length * numberBytes;
  const isInWords = areMomentsInWords(dtype, moments);
  const buffers: PlannedBuffer[] = [
    { name: "line index", bytes: indexBytes },
    { name: "vocabulary", bytes: vocabularyBytes(config.vocabularySize) },
    { name: "parameters", bytes: parameters },
    withParts("activations", activationLayout(config, dtype), numberBytes),
    canUpdateAtOnce(config, ops, { batchSize, moments })
      ? { name: "Adam's constants", bytes: CONSTANTS * numberBytes }
      : { name: "gradients", bytes: gradients },
    withParts("gradients between ops", activationGradientsLayout(config, dtype), numberBytes),
    ...(isInWords
      ? [{ name: "Adam's moments", bytes: parameters }]
      : [
          { name: "adam.m", bytes: parameters },
          { name: "adam.v", bytes: parameters },
        ]),
  ];
  const bufferBytes = buffers.reduce((sum, { bytes }) => sum + bytes, 0);
  const { chunks, growths, largestGrowth } = chunksFor(buffers);
  const slots = Math.max(CREATION.slots, BASE_SLOTS + SLOTS_PER_LAYER * config.nLayer) * SLOT_BYTES;
  const stack = CREATION.stack * SLOT_BYTES;
  const total = chunks + slots + stack;
  return { buffers, bufferBytes, others: OTHERS, chunks, growths, largestGrowth, slots, stack, total };
}

/**
 * XS starts with one block; a buffer that does not fit the rest makes it allocate another of its size, rounded up. The
 * blocks are malloc's, so they never touch, and a collection moves nothing from one to another.
 */
function chunksFor(buffers: readonly PlannedBuffer[]): Pick<MemoryPlan, "chunks" | "growths" | "largestGrowth"> {
  const growths: number[] = [];
  let left = CREATION.chunks - OTHERS.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { bytes } of buffers) {
    const size = bytes + CHUNK_HEADER;
    if (size > left) {
      const growth = Math.ceil(size / CHUNK_INCREMENT) * CHUNK_INCREMENT;
      growths.push(growth + BLOCK_HEADER);
      left += growth;
    }
    left -= size;
  }
  const chunks = growths.reduce((sum, growth) => sum + growth, CREATION.chunks);
  return { chunks, growths, largestGrowth: Math.max(0, ...growths) };
}

/** Whether the machine of `plan`, with a console, fits into `memory`, before the machine is created. */
export function fits(plan: MemoryPlan, memory: MemoryBudget): boolean {
  const { total, largestPiece } = besideCommands(memory);
  return (
    plan.total <= total && Math.max(CREATION.chunks, plan.largestGrowth) <= largestPiece && fitsPieces(plan, memory)
  );
}

/** Whether malloc, which takes the first piece with room, has one for each block of the machine. */
function fitsPieces({ growths, slots, stack }: MemoryPlan, { pieces }: MemoryBudget): boolean {
  if (pieces === undefined) return true;
  const free = [...pieces];
  return [CREATION.chunks + BLOCK_HEADER, stack, slots, ...growths].every((size) => {
    const i = free.findIndex((room) => room >= size + MALLOC_HEADER);
    if (i < 0) return false;
    free[i] -= size + MALLOC_HEADER;
    return true;
  });
}

/** The memory left for a model beside the console's commands. */
export function besideCommands(memory: MemoryBudget): MemoryBudget {
  return { ...memory, total: memory.total - COMMANDS_BYTES };
}

/**
 * Limits for the header of a checkpoint that a device with this model reads: larger than its own header. Reading one
 * takes some 400 bytes of memory for each tensor until it is loaded, and nothing else.
 */
export function headerLimits(config: ModelConfig): { readonly bytes: number; readonly tensors: number } {
  const own = parameterLayout(config).parts.length + ADAM_TENSORS;
  return { bytes: FOREIGN_HEADER_BYTES + TENSOR_ENTRY_BYTES * own, tensors: own + FOREIGN_TENSORS };
}

/** The largest n_embd, a multiple of n_head, with which the model fits; undefined if none does. */
export function largestEmbedding(
  config: ModelConfig,
  memory: MemoryBudget,
  toPlan?: TrainingToPlan,
): number | undefined {
  return largestThat(config, (candidate) => fits(planMemory(candidate, toPlan), memory));
}

/**
 * Checks that a running machine can grow to what the model needs.
 * @param memory its initial sizes plus the free memory; the largest free block
 * @throws InputError that says what is needed, what is available, and what would fit
 */
export function checkMemory(config: ModelConfig, memory: MemoryBudget, toPlan: TrainingToPlan): void {
  const plan = planMemory(config, toPlan);
  if (canGrow(plan, memory)) return;
  const largest = largestThat(config, (candidate) => canGrow(planMemory(candidate, toPlan), memory));
  const advice =
    largest === undefined
      ? "choose fewer layers, a smaller block_size, or a list with fewer different characters"
      : `n_embd ${largest} would fit`;
  const free = fitsPieces(plan, memory)
    ? `${memory.total}, ${memory.largestPiece} in one piece`
    : `${memory.total} in pieces of ${memory.pieces?.join(", ")}`;
  throw new InputError(
    `This model needs ${plan.total} bytes, ${plan.largestGrowth} of them in one piece, but can have ${free}: ${advice}.`,
  );
}

function canGrow(plan: MemoryPlan, memory: MemoryBudget): boolean {
  return plan.total <= memory.total && plan.largestGrowth <= memory.largestPiece && fitsPieces(plan, memory);
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

function withParts(name: string, layout: Layout, numberBytes: number): PlannedBuffer {
  const ends = [...layout.parts.slice(1).map(({ offset }) => offset), layout.length];
  return {
    name,
    bytes: layout.length * numberBytes,
    parts: layout.parts.map((part, i) => ({ name: part.name, bytes: (ends[i] - part.offset) * numberBytes })),
  };
}
