// Prints, as JSON, what the steps of a training allocate: the functions that allocate anything but
// the 16 bytes in which V8 boxes a number. Needs the built library and the flags that
// step-allocations.test.ts gives: without an optimizing compiler each allocation is the program's own.
import { Session } from "node:inspector";
import {
  DEFAULT_MODEL,
  DEFAULT_TRAINING,
  Dataset,
  drawParameters,
  Model,
  Random,
  Trainer,
  typescriptOps,
} from "../../dist/index.js";

const BOXED_NUMBER = 16;
const WARM_UP = 10;
const STEPS = 8;

const names = ["emma", "olivia", "longernamethanfits", "ava", "isabella"];
const report = {};
for (const preset of ["esp32gpt", "microgpt"]) {
  for (const sampling of ["random", "sequential"]) {
    const model = new Model({ ...DEFAULT_MODEL, preset, nLayer: 2, nEmbd: 2, nHead: 1 }, typescriptOps("f32"));
    const random = new Random(42);
    drawParameters(model.parameters, random, 0.1);
    const dataset = new Dataset(
      Uint8Array.from(names.join("\n"), (letter) => letter.charCodeAt(0)),
      "names",
    );
    const trainer = new Trainer(model, dataset, random, { ...DEFAULT_TRAINING, sampling, holdout: 20 });
    for (let i = 0; i < WARM_UP; i++) trainer.step();
    report[`${preset}, ${sampling}`] = allocationsOf(() => {
      for (let i = 0; i < STEPS; i++) trainer.step();
    });
  }
}
console.log(JSON.stringify(report));

/** Functions, and how many times and bytes they allocated, while `work` ran. */
function allocationsOf(work) {
  const session = new Session();
  session.connect();
  let text = "";
  session.on("HeapProfiler.addHeapSnapshotChunk", ({ params }) => (text += params.chunk));
  session.post("HeapProfiler.startTrackingHeapObjects", { trackAllocations: true });
  work();
  session.post("HeapProfiler.stopTrackingHeapObjects", {});
  session.disconnect();

  const { snapshot, strings, trace_function_infos: infos, trace_tree: root } = JSON.parse(text);
  const fields = snapshot.meta.trace_function_info_fields;
  const nameOf = (index) => strings[infos[index * fields.length + fields.indexOf("name")]];
  const found = [];
  let isCounted = false;
  const visit = (node, isInStep) => {
    const [, info, count, size, children] = node;
    const isStep = isInStep || nameOf(info) === "step";
    if (isStep) isCounted = true;
    if (isStep && size !== count * BOXED_NUMBER) found.push({ in: nameOf(info), count, bytes: size });
    for (let i = 0; i < children.length; i += root.length) visit(children.slice(i, i + root.length), isStep);
  };
  visit(root, false);
  if (!isCounted) throw new Error("The profiler has seen no step.");
  return found;
}
