import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { DEFAULT_MODEL, type PresetName } from "../../src/gpt/model/config";
import type { SettingName } from "../workbench/address";
import { LISTS } from "../workbench/lists";
import type { Workbench } from "../workbench/workbench";
import { type Field, fieldsOf, presetOf, usualValues } from "./fields";
import { PLAIN_NAMES } from "./plain-names";

/** Form for the model's shape and the training. */
export function SettingsForm({ bench }: { readonly bench: Workbench }) {
  const { list, values } = bench.choice.value;
  // What may pass is no fault of the settings.
  const problem = bench.isPassing.value ? "" : bench.problem.value;
  const usual = usualValues(values);
  const preset = presetOf(values);
  const given = (name: SettingName): string | undefined =>
    (values[name] === "" ? undefined : values[name]) ?? usual[name];
  const fold = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    // What will not do must be seen, to be put right.
    if (problem !== "" && fold.current) fold.current.open = true;
  }, [problem]);
  const input = ({ name, hint, least, most, step, choices }: Field): JSX.Element => (
    <label class="field" key={name}>
      <Name name={name} />
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
    <details class="card settings" ref={fold}>
      <summary>
        <h2>Settings</h2>{" "}
        <span class="muted">
          recipe: {RECIPES[preset].title}; width {given("n_embd")}; {given("steps")} steps
        </span>
      </summary>
      <form onSubmit={(event) => event.preventDefault()}>
        <p class="muted">
          {LISTS.find(({ id }) => id === list)?.sentence ?? "Your list stays in this browser."} While a run is under
          way, what you change here waits for the next one.
        </p>
        <label class="field">
          <Name name="preset" />
          <select
            name="preset"
            value={values.preset ?? DEFAULT_MODEL.preset}
            aria-describedby="hint-preset"
            onChange={({ currentTarget }) => bench.change({ preset: currentTarget.value })}
          >
            {Object.keys(RECIPES).map((name) => (
              <option key={name} value={name}>
                {RECIPES[name as PresetName].title}
              </option>
            ))}
          </select>
          <small id="hint-preset">{RECIPES[preset].hint}</small>
        </label>
        <h3>The model</h3>
        <div class="grid">{fieldsOf("model").map(input)}</div>
        <h3>The training</h3>
        <div class="grid">{[...fieldsOf("record"), ...fieldsOf("run")].map(input)}</div>
        <p class="problem">{problem}</p>
      </form>
    </details>
  );
}

function Name({ name }: { readonly name: SettingName }) {
  return (
    <span>
      {PLAIN_NAMES[name]} <small>{name}</small>
    </span>
  );
}

const RECIPES: Readonly<Record<PresetName, { readonly title: string; readonly hint: string }>> = {
  esp32gpt: { title: "the chip’s (esp32gpt)", hint: "The default of the chip: one word for each step." },
  tuned: {
    title: "learns more (tuned)",
    hint: "Learns more for the same work: eight words for each step, attention with a bias by distance.",
  },
  microgpt: {
    title: "Karpathy’s (microgpt)",
    hint: "As Karpathy’s microgpt: RMSNorm, words in the order of the list.",
  },
};
