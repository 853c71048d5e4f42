import { useSignal } from "@preact/signals";
import { samplingLimits, type SamplingLimits } from "../../src/gpt/model/config";
import { InputError } from "../../src/gpt/base/errors";
import { settingsOf } from "../workbench/address";
import type { Sample } from "../worker/messages";
import type { Run } from "../workbench/run";
import { Word } from "../components/words";

/** Generates words on request. */
export function Writing({ run }: { readonly run: Run }) {
  const temperature = useSignal<number | undefined>(undefined);
  const prefix = useSignal("");
  const count = useSignal("10");
  const topK = useSignal("");
  const topP = useSignal("");
  const names = useSignal<readonly Sample[]>([]);
  const refusal = useSignal("");
  const used = temperature.value ?? settingsOf(run.choice).temperature;
  const write = (): void => {
    run.ask("generate", Number(count.value || NaN), used, prefix.value, limitsOf(topK.value, topP.value)).then(
      (written) => {
        refusal.value = "";
        names.value = written;
      },
      (error: unknown) => {
        if (!(error instanceof InputError)) throw error;
        refusal.value = error.message;
      },
    );
  };
  return (
    <section class="card" aria-label="Write words">
      <h2>Let it write</h2>
      <p class="muted">
        It draws one letter after the other, by bars like those after your word. Temperature 0 always takes the longest
        bar; a high temperature makes the bars more alike, so that it dares more.
      </p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          write();
        }}
      >
        <label class="field">
          <span>Temperature: {used.toFixed(2)}</span>
          <input
            type="range"
            name="temperature"
            min={0}
            max={2}
            step={0.05}
            value={used}
            onInput={({ currentTarget }) => (temperature.value = Number(currentTarget.value))}
          />
        </label>
        <div class="grid">
          <label class="field">
            <span>top-k</span>
            <input
              type="number"
              name="top_k"
              step="any"
              placeholder="all"
              value={topK.value}
              aria-describedby="hint-top-k"
              onInput={({ currentTarget }) => (topK.value = currentTarget.value)}
            />
            <small id="hint-top-k">draw only from this many of the longest bars</small>
          </label>
          <label class="field">
            <span>top-p</span>
            <input
              type="number"
              name="top_p"
              step="any"
              placeholder="1"
              value={topP.value}
              aria-describedby="hint-top-p"
              onInput={({ currentTarget }) => (topP.value = currentTarget.value)}
            />
            <small id="hint-top-p">draw only from the longest bars that make up this share</small>
          </label>
          <label class="field">
            <span>Begins with</span>
            <input
              name="prefix"
              value={prefix.value}
              spellcheck={false}
              autocomplete="off"
              autocapitalize="none"
              onInput={({ currentTarget }) => (prefix.value = currentTarget.value)}
            />
          </label>
          <label class="field">
            <span>How many</span>
            <input
              type="number"
              name="count"
              step="any"
              value={count.value}
              onInput={({ currentTarget }) => (count.value = currentTarget.value)}
            />
          </label>
        </div>
        <button type="submit">Write words</button>
      </form>
      <p class="problem" role="alert">
        {refusal.value}
      </p>
      <p class="hidden" role="status">
        {names.value.length > 0 && `${names.value.length} words${newAmong(names.value)}`}
      </p>
      <ol class="samples">
        {names.value.map((sample, i) => (
          <li key={i}>
            <Word sample={sample} />
          </li>
        ))}
      </ol>
    </section>
  );
}

/** An empty field means no limit. */
function limitsOf(topK: string, topP: string): SamplingLimits {
  return samplingLimits({ ...(topK !== "" && { topK: Number(topK) }), ...(topP !== "" && { topP: Number(topP) }) });
}

function newAmong(names: readonly Sample[]): string {
  if (names.some(({ isKnown }) => isKnown === undefined)) return "";
  return `, of which ${names.filter(({ name, isKnown }) => name !== "" && !isKnown).length} are new`;
}
