import { InputError } from "../../src/gpt/base/errors";
import { TrainingWorker, type WorkerClock } from "./training-worker";
import { hold } from "./locks";
import type { StartMessage, TrainingUpdate, WorkerMessage, Request, RequestName } from "./messages";
import { Outbox } from "./outbox";

/* The training worker: the first message starts it, the following ones are requests. */

/** Requests whose answers are made of copies: their memory is handed over to the page. */
const HANDED_OVER: readonly RequestName[] = ["recordStep", "recordWhatIf", "weights", "drawnWeights"];

const report = (message: WorkerMessage, transfer: Transferable[] = []): void => postMessage(message, { transfer });

const broken = (error: unknown): void => report({ type: "broken", message: String(error) });

// Unhandled rejections.
addEventListener("unhandledrejection", ({ reason }) => broken(reason));

/** Yields to the event loop without the minimum delay of timers. */
const turns = new MessageChannel();
const waiting: (() => void)[] = [];
turns.port1.onmessage = () => {
  try {
    waiting.shift()?.();
  } catch (error) {
    broken(error);
  }
};

const clock: WorkerClock = {
  now: () => performance.now(),
  schedule(slice) {
    waiting.push(slice);
    turns.port2.postMessage(undefined);
  },
  wait: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
};

const outbox = new Outbox((updates: readonly TrainingUpdate[], transfer) =>
  report({ type: "happened", updates }, transfer),
);
let trainingWorker: TrainingWorker | undefined;

onmessage = ({ data }: MessageEvent<StartMessage | Request>) => {
  const work = "id" in data ? answer(data) : begin(data);
  work.catch(broken);
};

async function begin(beginning: StartMessage): Promise<void> {
  // The page may wait longer for a worker that has answered.
  report({ type: "happened", updates: [] });
  try {
    await hold(beginning.lock);
    trainingWorker = await TrainingWorker.begin(beginning, clock, (update) => outbox.put(update), broken);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    report({ type: "refused", message: error.message });
    return;
  }
  outbox.send();
  report({ type: "ready", ready: trainingWorker.ready });
}

async function answer({ id, name, values }: Request): Promise<void> {
  try {
    if (!trainingWorker) throw new InputError("The training is not ready.");
    const requests = trainingWorker as unknown as Record<RequestName, (...values: readonly unknown[]) => unknown>;
    const value = await requests[name](...values);
    outbox.send();
    report({ type: "answered", id, value }, HANDED_OVER.includes(name) ? buffersOf(value) : []);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    outbox.send();
    report({ type: "failed", id, message: error.message });
  }
}

/** The memory of all arrays of numbers in an answer. */
function buffersOf(value: unknown): ArrayBuffer[] {
  if (ArrayBuffer.isView(value)) return value.byteLength > 0 ? [value.buffer as ArrayBuffer] : [];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(buffersOf) : [];
}
