import { CHIPS } from "../../src/places/chips";
import type { Dtype } from "../../src/gpt/model/ops";
import { besideCommands, chipOps, fits, largestEmbedding, planMemory, type TrainingToPlan } from "../../src/gpt/plan";
import { settingsOf } from "../workbench/address";
import type { Run } from "../workbench/run";
import { shapeOf } from "../workbench/shape";

const KB = 1024;

/** The memory that the model needs on a chip. */
export function Memory({ run }: { readonly run: Run }) {
  const { vocabulary, indexBytes, parameters } = run.ready;
  const config = shapeOf(run.choice, vocabulary);
  const { dtype: given, training } = settingsOf(run.choice);
  const toPlan = (dtype: Dtype = "f32"): TrainingToPlan => ({ indexBytes, ops: chipOps(given ?? dtype), training });
  const plan = planMemory(config, toPlan());
  const kilobytes = (bytes: number): string => Math.ceil(bytes / KB).toLocaleString("en");
  const esp32 = CHIPS.find(({ name }) => name === "ESP32");
  if (!esp32) throw new Error("src/places/chips.ts has no ESP32");
  const memory = besideCommands(esp32.memory).total;
  const doesFit = fits(plan, esp32.memory);
  const largest = doesFit ? undefined : largestEmbedding(config, esp32.memory, toPlan());
  const advice = largest === undefined ? "" : ` n_embd ${largest} would fit.`;
  return (
    <section class="card memory" aria-label="Memory">
      <h2>Memory of the chip</h2>
      <p>
        <strong class={doesFit ? "good" : "bad"}>
          {doesFit ? "Fits an ESP32" : "Does not fit an ESP32"}: {kilobytes(plan.total)} of {kilobytes(memory)} KB
        </strong>
        {advice}
      </p>
      <meter
        min={0}
        max={memory}
        high={memory}
        value={plan.total}
        aria-label="Memory of an ESP32 that training needs"
      />
      <p class="muted">
        {parameters.toLocaleString("en")} parameters, {Array.from(vocabulary).length} characters.
      </p>
      <details>
        <summary>What uses it, and other chips</summary>
        <table>
          <caption class="hidden">Memory by purpose</caption>
          <tbody>
            {plan.buffers.map(({ name, bytes }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>{bytes.toLocaleString("en")}</td>
              </tr>
            ))}
            <tr>
              <th scope="row">the engine: rest of its chunks, slots, stack</th>
              <td>{(plan.total - plan.bufferBytes).toLocaleString("en")}</td>
            </tr>
            <tr>
              <th scope="row">total, bytes</th>
              <td>{plan.total.toLocaleString("en")}</td>
            </tr>
          </tbody>
        </table>
        <ul class="plain">
          {CHIPS.map((chip) => (
            <li key={chip.name}>
              {chip.name}, {given ?? chip.dtype}:{" "}
              {fits(planMemory(config, toPlan(chip.dtype)), chip.memory) ? "fits" : "does not fit"} (
              {kilobytes(besideCommands(chip.memory).total)} KB; {chip.source})
            </li>
          ))}
        </ul>
      </details>
    </section>
  );
}
