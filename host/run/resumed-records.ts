import { type FileHandle, open } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import { Checkpoint } from "../../src/gpt/checkpoint/reader";
import type { TrainingRecord } from "../../src/gpt/checkpoint/record";
import { Dataset } from "../../src/gpt/data/dataset";
import { Holdout } from "../../src/gpt/training/holdout";
import { InputError, printablePath } from "../../src/gpt/base/errors";
import { Model } from "../../src/gpt/model/model";
import { drawParameters } from "../../src/gpt/model/parameters";
import { Random } from "../../src/gpt/model/random";
import { Trainer } from "../../src/gpt/training/trainer";
import { typescriptOps } from "../../src/gpt/model/typescript-ops";
import type { TrainJob } from "../../src/jobs/train-job";
import { DrawHistory } from "./draw-history";
import { fileError } from "../../src/places/node/file-errors";
import type { Files } from "../files/files";
import { isRegular, LIST, readRegular } from "../files/inputs";

/*
 * Finds where a resumed training continues its --jsonl file: after the last step that the checkpoint contains. The
 * earlier records must belong to the same run.
 */

/** Maximum length of a record, in bytes. */
const MAX_LINE = 1000;
const BLOCK = 1 << 16;
/** Engines and ops sum in different orders, so losses of the same step may differ by this much. */
const LOSS_TOLERANCE = 2e-5;
/** Draws between checks for an abort. */
const DRAWS_A_TURN = 1 << 18;

/** A run of records with consecutive steps. */
interface Segment {
  readonly first: number;
  /** The step expected next, and the file offset where it would begin. */
  next: number;
  end: number;
  /** File offset after the last step that the checkpoint contains; undefined if the segment does not reach it. */
  cut: number | undefined;
  /** Whether all of its records can belong to the checkpoint's schedule. */
  isOurs: boolean;
  readonly firstLoss: number | string;
  /** The document of each step, if batch_size is 1. */
  readonly names: number[];
}

/** A line of --jsonl. */
interface StepRecord {
  readonly step: number;
  readonly loss: number | string;
  readonly learningRate: number;
  readonly validationLoss?: number;
  readonly name?: number;
}

/** The run that the checkpoint continues. */
interface ResumedRun {
  readonly model: Model;
  readonly dataset: Dataset;
  readonly record: TrainingRecord;
}

/**
 * How many bytes of a --jsonl file a resumed training keeps. 0 if the file is missing, empty or not a regular file,
 * or if the training will fail for a reason of its own.
 * @throws InputError when the file has records of another run, or ends before the checkpoint's step
 */
export async function bytesToKeep(
  path: string,
  { resume = "", model: wanted }: Pick<TrainJob, "resume" | "model">,
  data: string,
  files: Files,
  ending: AbortSignal,
): Promise<number> {
  const file = await openRegular(path);
  if (!file) return 0;
  let checkpoint: Checkpoint | undefined;
  try {
    checkpoint = await Checkpoint.open(files.storage, resume);
    const record = checkpoint.record();
    const dataset = new Dataset(readRegular(files.pathOf(data), LIST), data);
    if (record?.dataset !== dataset.checksum) return 0;
    const segments = await readSegments(file, record, ending);
    if (segments === undefined) return 0;
    const { segment, at } = segmentToGoOn(segments, record, printablePath(path), printablePath(resume));
    const config = checkpoint.modelConfig(wanted);
    const model = new Model(config, typescriptOps(checkpoint.dtype), checkpoint.vocabulary(dataset.vocabulary));
    if (segment && !(await isOfRun(segment, { model, dataset, record }, ending)))
      throw otherRun(printablePath(path), printablePath(resume));
    return at;
  } finally {
    checkpoint?.close();
    await file.close();
  }
}

async function openRegular(path: string): Promise<FileHandle | undefined> {
  try {
    return isRegular(path) ? await open(path, "r") : undefined;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw fileError("read", path, error);
  }
}

/** The segments up to the first line that is incomplete or not a record; undefined when the file is empty. */
async function readSegments(
  file: FileHandle,
  record: TrainingRecord,
  ending: AbortSignal,
): Promise<Segment[] | undefined> {
  const segments: Segment[] = [];
  const block = Buffer.alloc(BLOCK);
  let rest: Uint8Array = new Uint8Array();
  for (let at = 0; rest.length < MAX_LINE;) {
    ending.throwIfAborted();
    const { bytesRead } = await file.read(block, 0, BLOCK, at + rest.length);
    if (bytesRead === 0) return at + rest.length === 0 ? undefined : segments;
    const bytes = Buffer.concat([rest, block.subarray(0, bytesRead)]);
    let from = 0;
    for (let end = bytes.indexOf("\n"); end >= 0; end = bytes.indexOf("\n", from)) {
      const line = readRecord(bytes.toString("utf8", from, end));
      if (!line || !take(segments, line, at + from, at + end + 1, record)) return segments;
      from = end + 1;
    }
    at += from;
    rest = bytes.subarray(from);
  }
  return segments;
}

/** Parses a record; undefined if the line is not one. */
function readRecord(line: string): StepRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  const { step, loss, learningRate, validationLoss, name } = (value ?? {}) as Record<keyof StepRecord, unknown>;
  const isStep = Number.isSafeInteger(step) && (step as number) >= 0 && typeof learningRate === "number";
  const isLoss = typeof loss === "number" || typeof loss === "string";
  const hasOthers = [validationLoss, name].every((each) => each === undefined || typeof each === "number");
  return isStep && isLoss && hasOthers ? (value as StepRecord) : undefined;
}

/** Adds the record at bytes `start` to `end` to the segments; returns false if it cannot follow the previous one. */
function take(segments: Segment[], line: StepRecord, start: number, end: number, record: TrainingRecord): boolean {
  const { step, loss, name } = line;
  const { stepsDone } = record.state;
  let segment = segments.at(-1);
  if (segment?.next !== step) {
    if (segment && step !== 0) return false;
    const cut = step === stepsDone ? start : undefined;
    segment = { first: step, next: step, end: start, cut, isOurs: true, firstLoss: loss, names: [] };
    segments.push(segment);
  }
  segment.next = step + 1;
  segment.end = end;
  if (segment.next === stepsDone) segment.cut = end;
  segment.isOurs &&= isOfSchedule(line, record);
  if (name !== undefined) segment.names.push(name);
  return true;
}

function isOfSchedule({ step, learningRate, validationLoss, name }: StepRecord, { config }: TrainingRecord): boolean {
  return (
    step < config.steps &&
    learningRate === config.learningRate * (1 - step / config.steps) &&
    (name !== undefined) === (config.batchSize === 1) &&
    (validationLoss === undefined || config.holdout > 0)
  );
}

/**
 * The segment and file offset at which the training continues. Segments of earlier schedules may precede it; after a
 * finished schedule, the beginning of the next one may follow.
 */
function segmentToGoOn(
  segments: readonly Segment[],
  { config, state: { stepsDone, totalSteps } }: TrainingRecord,
  file: string,
  checkpoint: string,
): { segment?: Segment; at: number } {
  const hasEarlier = totalSteps > stepsDone;
  const i = segments.findLastIndex(({ isOurs, cut }) => isOurs && cut !== undefined);
  const isAlone = (i === 0 || hasEarlier) && (i === segments.length - 1 || stepsDone === config.steps);
  const segment = segments[i];
  if (segment?.cut !== undefined && isAlone) return { segment, at: segment.cut };
  const last = segments.at(-1);
  if (last && stepsDone === 0 && hasEarlier) return { at: last.end };
  if (last?.isOurs && last.next < stepsDone)
    throw new InputError(
      `The records in ${file} end with step ${last.next - 1}, but ${checkpoint} continues with step ${stepsDone}: ` +
        `name another file with --jsonl.`,
    );
  throw otherRun(file, checkpoint);
}

function otherRun(file: string, checkpoint: string): InputError {
  return new InputError(
    `${file} does not hold the records of the training in ${checkpoint}: name another file with --jsonl.`,
  );
}

/** Whether the records' documents match the checkpoint's random stream, and the first loss matches its seed. */
async function isOfRun(
  segment: Segment,
  { model, dataset, record }: ResumedRun,
  ending: AbortSignal,
): Promise<boolean> {
  const { config, state, ownWords, seed } = record;
  // The history of the user words is unknown, so the draws cannot be checked.
  if (ownWords !== "") return true;
  const { first, names, firstLoss } = segment;
  const done = state.stepsDone - first;
  const isOne = config.batchSize === 1;
  const holdout = config.holdout > 0 ? new Holdout(dataset, config.holdout) : undefined;
  const draws = new DrawHistory(state, config.sampling, dataset.count, holdout);
  if (isOne && done < names.length && draws.following() !== names[done]) return false;
  for (let i = 1; i <= done * config.batchSize; i++) {
    const name = draws.previous();
    if (isOne && name !== names[done - i]) return false;
    if (i % DRAWS_A_TURN === 0) await setImmediate(undefined, { signal: ending });
  }
  if (first > 0 || state.totalSteps > state.stepsDone || typeof firstLoss !== "number") return true;
  const random = new Random(seed);
  drawParameters(model.parameters, random, model.config, model.ops);
  // The initial weights came from a file and are unknown, so the first loss cannot be checked.
  if (!draws.canBeginAt(random.word)) return true;
  const loss = new Trainer(model, dataset, random, config).step();
  return typeof loss === "number" && Math.abs(loss - firstLoss) <= LOSS_TOLERANCE;
}
