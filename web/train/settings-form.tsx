import type { JSX } from "preact";
import { DEFAULT_MODEL, PRESETS, type PresetName } from "../../src/gpt/model/config";
import { LISTS } from "../workbench/lists";
import type { Workbench } from "../workbench/workbench";
import { type Field, fieldsOf, presetOf, usualValues } from "./fields";
import { OwnListForm } from "./own-list-form";

/** Form for the dataset, the model's shape and the training. */
export function SettingsForm({ bench }: { readonly bench: Workbench }) {
  const { list, values } = bench.choice.value;
  const problem = bench.problem.value;
  const chosen = LISTS.find(({ id }) => id === list);
  const usual = usualValues(values);
  const input = ({ name, hint, least, most, step, choices }: Field): JSX.Element => (
    <label class="field" key={name}>
      <span>{name}</span>
      {choices ? (
        <select
          name={name}
          value={values[name] ?? ""}
          aria-describedby={`hint-${name}`}
          onChange={({ currentTarget }) => bench.change({ [name]: currentTarget.value })}
        >
          <option value="">{`usual: ${usual[name] ?? ""}`}</option>
          {choices.map((choice) => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      ) : (
        <input
          type="number"
          name={name}
          step={step}
          min={least}
          max={most}
          value={values[name] ?? ""}
          placeholder={usual[name] ?? ""}
          aria-describedby={`hint-${name}`}
          onInput={({ currentTarget }) => bench.change({ [name]: currentTarget.value })}
        />
      )}
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
      <div class="grid">{fieldsOf("model").map(input)}</div>
      <h2>The training</h2>
      <div class="grid">{[...fieldsOf("record"), ...fieldsOf("run")].map(input)}</div>
      <p class="problem narrow">{problem}</p>
    </form>
  );
}

const PRESET_HINTS: Readonly<Record<PresetName, string>> = {
  esp32gpt: "The default of the chip.",
  microgpt: "Karpathy's microgpt: RMSNorm, words in the order of the list.",
  tuned: "Learns more for the same work: eight words per step, attention with a bias by distance.",
};
