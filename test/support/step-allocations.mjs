// Prints, as JSON, what the steps of a training and learn() allocate: the functions that allocate anything but
// the 16 bytes in which V8 boxes a number. Needs the built library and the flags that
// step-allocations.test.ts gives: without an optimizing compiler each allocation is the program's own.
import { Session } from "node:inspector";
/**
 * @typedef {{ readonly in: string, readonly count: number, readonly bytes: number }} Allocations
 * @typedef {readonly (number | TraceNodes)[]} TraceNodes nodes in a row, each in so many fields: its number, its
 *   function, how many times and bytes it allocated, and the nodes that it has called
 */

/** @type {typeof import("../../src/gpt/index")} */
const library = await import(new URL("../../dist/index.js", import.meta.url).href);
const { createTrainer, DEFAULT_MODEL, DEFAULT_TRAINING, Dataset, drawParameters, Model, Random } = library;
const { Runner, Trainer, Training, typescriptOps } = library;

const BOXED_NUMBER = 16;
const WARM_UP = 60;
const STEPS = 8;
/** All steps are told, as of a training that somebody looks at. */
const TELL_EVERY = 0;
/** Some of the steps have a line in the log, and so a validation loss. */
const LOG_EVERY = 3;

const names = ["emma", "olivia", "longernamethanfits", "zoé", "anna lea", "isabella"];
/** @type {Record<string, Allocations[]>} */
const report = {};
for (const preset of /** @type {const} */ (["esp32gpt", "microgpt"])) {
  for (const sampling of /** @type {const} */ (["random", "sequential"])) {
    const dataset = new Dataset(Buffer.from(names.join("\n")), "names");
    const { vocabulary } = dataset;
    const config = { ...DEFAULT_MODEL, preset, nLayer: 2, nEmbd: 2, nHead: 1, vocabularySize: vocabulary.size };
    const model = new Model(config, typescriptOps("f32"), vocabulary);
    const random = new Random(42);
    drawParameters(model.parameters, random, config, model.ops);
    const trainer = new Trainer(model, dataset, random, { ...DEFAULT_TRAINING, sampling, holdout: 20 });
    const told = { steps: 0, loss: 0 };
    const training = new Training(trainer, LOG_EVERY, TELL_EVERY, (event) => onEvent(event, told));
    report[`${preset}, ${sampling}`] = allocationsOf(training);
    if (told.steps < STEPS) throw new Error(`${told.steps} steps were told.`);
  }
}
for (const dtype of /** @type {const} */ (["f32", "f64", "i32"])) {
  const model = { nEmbd: 2, nHead: 1 };
  const trainer = createTrainer({ dataset: Dataset.of(names), preset: "tuned", model, ops: typescriptOps(dtype) });
  report[`learn, ${dtype}`] = allocationsOf({ work: () => trainer.learn("anna zoé") !== "diverged" });
}
console.log(JSON.stringify(report));

/**
 * Looks at an event as a formatter does, without keeping it.
 * @param {Parameters<ConstructorParameters<typeof Training>[3]>[0]} event
 * @param {{ steps: number, loss: number }} told
 */
function onEvent(event, told) {
  if (event.type !== "step") return;
  told.steps++;
  if (typeof event.loss === "number") told.loss = event.loss;
}

/**
 * Functions, and how many times and bytes they allocated, while a runner advanced the task in one
 * slice. The clock lets the slice end after the steps that count.
 * @param {import("../../src/gpt/index").Task} task
 * @returns {Allocations[]}
 */
function allocationsOf(task) {
  const session = new Session();
  session.connect();
  let text = "";
  session.on("HeapProfiler.addHeapSnapshotChunk", ({ params }) => (text += params.chunk));
  let slice = () => {};
  let looks = 0;
  let most = WARM_UP;
  const clock = {
    now: () => (looks++ < most ? 0 : 1000),
    /** @param {() => void} next */
    schedule: (next) => void (slice = next),
  };
  void new Runner(clock).run(task);
  slice();
  looks = 0;
  most = STEPS * 2; // a validation takes bits as well
  session.post("HeapProfiler.startTrackingHeapObjects", { trackAllocations: true });
  slice();
  session.post("HeapProfiler.stopTrackingHeapObjects", {});
  session.disconnect();

  const { snapshot, strings, trace_function_infos: infos, trace_tree: root } = JSON.parse(text);
  const fields = snapshot.meta.trace_function_info_fields;
  /** @param {number} index @returns {string} */
  const nameOf = (index) => strings[infos[index * fields.length + fields.indexOf("name")]];
  /** @type {Allocations[]} */
  const found = [];
  let isCounted = false;
  /** @param {TraceNodes} node @param {boolean} isInSlice */
  const visit = (node, isInSlice) => {
    const [, info, count, size, children] = /** @type {[number, number, number, number, TraceNodes]} */ (node);
    const isSlice = isInSlice || nameOf(info) === "runSlice";
    if (isSlice) isCounted = true;
    if (isSlice && size !== count * BOXED_NUMBER) found.push({ in: nameOf(info), count, bytes: size });
    for (let i = 0; i < children.length; i += root.length) visit(children.slice(i, i + root.length), isSlice);
  };
  visit(root, false);
  if (!isCounted) throw new Error("The profiler has seen no slice.");
  return found;
}
