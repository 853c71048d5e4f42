import type { JSX } from "preact";
import { DEFAULT_MODEL, PRESETS, type PresetName, trainingConfig } from "../../src/config";
import type { Choice, SettingName } from "../address";
import { LISTS } from "../lists";
import type { Workbench } from "../workbench";
import { OwnListForm } from "./own-list-form";

interface Field {
  readonly name: SettingName;
  readonly label: string;
  /** What it is, in a few words. */
  readonly hint: string;
}

const SHAPE: readonly Field[] = [
  { name: "n_embd", label: "n_embd", hint: "numbers for each character" },
  { name: "n_head", label: "n_head", hint: "attention heads" },
  { name: "n_layer", label: "n_layer", hint: "layers" },
  { name: "block_size", label: "block_size", hint: "characters it looks back at" },
];

const TRAINING: readonly Field[] = [
  { name: "steps", label: "steps", hint: "updates of the weights" },
  { name: "batch_size", label: "batch_size", hint: "words a step" },
  { name: "learning_rate", label: "learning_rate", hint: "of the first step; it falls to 0" },
  { name: "holdout", label: "holdout %", hint: "words kept aside to measure with" },
  { name: "seed", label: "seed", hint: "where chance begins: same seed, same run" },
];

/** What is to be learnt, by what, and how. */
export function SettingsForm({ bench }: { readonly bench: Workbench }) {
  const { list, values } = bench.choice.value;
  const problem = bench.problem.value;
  const chosen = LISTS.find(({ id }) => id === list);
  const usual = usualValues(values);
  const number = ({ name, label, hint }: Field): JSX.Element => (
    <label class="field" key={name}>
      <span>{label}</span>
      <input
        type="number"
        name={name}
        step="any"
        min="0"
        value={values[name] ?? ""}
        placeholder={usual[name] ?? ""}
        aria-describedby={`hint-${name}`}
        onInput={({ currentTarget }) => bench.change({ [name]: currentTarget.value })}
      />
      <small id={`hint-${name}`}>{hint}</small>
    </label>
  );
  return (
    <form class="card settings" onSubmit={(event) => event.preventDefault()}>
      <h2>What it learns</h2>
      <label class="field">
        <span>List</span>
        <select
          name="list"
          value={chosen ? list : "own"}
          onChange={({ currentTarget }) => {
            const taken = LISTS.find(({ id }) => id === currentTarget.value);
            if (taken) bench.takeList(taken);
          }}
        >
          {LISTS.map(({ id, title }) => (
            <option key={id} value={id}>
              {title}
            </option>
          ))}
          {!chosen && <option value="own">Your own</option>}
        </select>
        <small>{chosen?.sentence ?? "A list of your own: it stays in this browser."}</small>
      </label>
      <OwnListForm bench={bench} />
      <h2>The model</h2>
      <label class="field">
        <span>Preset</span>
        <select
          name="preset"
          value={values.preset ?? DEFAULT_MODEL.preset}
          onChange={({ currentTarget }) => bench.change({ preset: currentTarget.value })}
        >
          {Object.keys(PRESETS).map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
        <small>{PRESET_HINTS[presetOf(values)]}</small>
      </label>
      <div class="grid">{SHAPE.map(number)}</div>
      <h2>The training</h2>
      <div class="grid">{TRAINING.map(number)}</div>
      <p class="problem narrow">{problem}</p>
    </form>
  );
}

const PRESET_HINTS: Readonly<Record<PresetName, string>> = {
  esp32gpt: "The program on the chip.",
  microgpt: "Karpathy's: RMSNorm, words in the order of the list.",
  tuned: "Learns more for the same work: eight words a step, a bias of attention by distance.",
};

function presetOf(values: Choice["values"]): PresetName {
  const { preset = "" } = values;
  return Object.hasOwn(PRESETS, preset) ? (preset as PresetName) : DEFAULT_MODEL.preset;
}

/** What an empty field means. */
function usualValues(values: Choice["values"]): Choice["values"] {
  const preset = presetOf(values);
  const count = (name: "steps" | "batch_size"): number | undefined => {
    const value = Number(values[name] ?? "");
    return value > 0 ? value : undefined;
  };
  const { steps, batchSize } = trainingConfig(preset, {});
  const { learningRate } = trainingConfig(preset, {
    steps: count("steps") ?? steps,
    batchSize: count("batch_size") ?? batchSize,
  });
  return {
    n_embd: String(DEFAULT_MODEL.nEmbd),
    n_head: String(DEFAULT_MODEL.nHead),
    n_layer: String(DEFAULT_MODEL.nLayer),
    block_size: String(DEFAULT_MODEL.blockSize),
    steps: String(steps),
    batch_size: String(batchSize),
    learning_rate: String(Number(learningRate.toPrecision(3))),
    holdout: "0",
    seed: "42",
  };
}
