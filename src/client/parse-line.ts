import type { Event } from "../protocol/events";
import type { DeviceLine } from "../protocol/lines";

/** Maximum length of a text field in characters. */
const LONGEST_TEXT = 1000;

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === "string" && value.length <= LONGEST_TEXT;
const isNumber: Check = (value) => typeof value === "number" && Number.isFinite(value);
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isFlag: Check = (value) => typeof value === "boolean";
const isEnding: Check = (value) => value === "done" || value === "stopped";

/** The fields that an event must have to be shown. */
const FIELDS: Readonly<Record<string, Readonly<Record<string, Check>>>> = Object.freeze({
  start: {
    place: isText,
    parameters: isCount,
    nHead: isCount,
    nEmbd: isCount,
    names: isCount,
    steps: isCount,
    batchSize: isCount,
  },
  step: { step: isCount, steps: isCount, loss: (value) => isNumber(value) || isText(value), isLogged: isFlag },
  trained: { ending: isEnding, stepsDone: isCount, steps: isCount, milliseconds: isNumber },
  saved: { file: isText, isEarly: isFlag },
  names: { temperature: isNumber },
  name: { number: isCount, name: isText },
  progress: { done: isCount, total: isCount },
  evaluated: {
    loss: isNumber,
    names: isCount,
    passedOver: isCount,
    tokens: isCount,
    natsPerToken: isNumber,
    bitsPerCharacter: isNumber,
  },
  remark: { message: isText },
  error: { message: isText },
  done: { job: isText, outcome: isText },
});

/** The event in a line; undefined for other lines, and where a field is missing or invalid. */
export function parseEvent(line: DeviceLine): Event | undefined {
  if (!Object.hasOwn(FIELDS, line.type)) return undefined;
  for (const [field, isSound] of Object.entries(FIELDS[line.type])) if (!isSound(line[field])) return undefined;
  const event: Record<string, unknown> = { ...line };
  // Optional fields of the wrong type are removed.
  for (const field of ["validationLoss", "mean", "topK", "topP"]) if (!isNumber(event[field])) event[field] = undefined;
  for (const field of ["written", "characters", "isKnown"])
    if (typeof event[field] === "object") event[field] = undefined;
  if (line.type === "evaluated" && !(isCount(event.step) && isCount(event.steps))) event.step = event.steps = undefined;
  return event as unknown as Event;
}

/** What a device is doing, from a `state` line. */
export interface DeviceStatus {
  readonly state: string;
  readonly step: number | undefined;
  readonly steps: number | undefined;
  readonly loss: number | undefined;
}

/** The status in a `state` line; undefined for other lines. */
export function parseStatus(line: DeviceLine): DeviceStatus | undefined {
  if (line.type !== "state" || !isText(line.state)) return undefined;
  const number = (value: unknown): number | undefined => (isNumber(value) ? (value as number) : undefined);
  return { state: line.state as string, step: number(line.step), steps: number(line.steps), loss: number(line.loss) };
}

/** The text of an `answer`, `word`, `remark` or `error` line; undefined for other lines. */
export function parseText({ type, text, message, number }: DeviceLine): string | undefined {
  if (type === "answer" && isText(text)) return text as string;
  if (type === "word" && isText(text) && isCount(number)) return `${String(number).padStart(4)}. ${text as string}`;
  if ((type === "remark" || type === "error") && isText(message)) return message as string;
  return undefined;
}
