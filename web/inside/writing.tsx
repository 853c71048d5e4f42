import { useSignal } from "@preact/signals";
import { InputError } from "../../src/errors";
import { settingsOf } from "../address";
import type { Sample } from "../learner/messages";
import type { Run } from "../learner/run";
import { Word } from "../train/words";

/** Words, written when asked. */
export function Writing({ run }: { readonly run: Run }) {
  const temperature = useSignal<number | undefined>(undefined);
  const prefix = useSignal("");
  const count = useSignal("10");
  const names = useSignal<readonly Sample[]>([]);
  const refusal = useSignal("");
  const used = temperature.value ?? settingsOf(run.choice).temperature;
  const write = (): void => {
    run.ask("generate", Number(count.value || NaN), used, prefix.value).then(
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
        {names.value.length > 0 && `${names.value.length} words, of which ${countNew(names.value)} are new`}
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

function countNew(names: readonly Sample[]): number {
  return names.filter(({ isKnown }) => !isKnown).length;
}
