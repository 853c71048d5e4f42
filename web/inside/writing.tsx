import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { samplingLimits, type SamplingLimits } from "../../src/gpt/model/config";
import { InputError } from "../../src/gpt/base/errors";
import { settingsOf } from "../workbench/address";
import type { Sample } from "../worker/messages";
import type { Run } from "../workbench/run";
import { Word } from "../components/words";
import type { Characters } from "./characters";
import { LetterByLetter } from "./letter-by-letter";
import type { Sampling } from "./word-writer";
import "./writing.css";

interface Props {
  readonly run: Run;
  readonly characters: Characters;
}

/** Generates words: one letter by letter, or many at once. */
export function Writing({ run, characters }: Props) {
  const wanted = useSignal<number | undefined>(undefined);
  const prefix = useSignal("");
  const topK = useSignal("");
  const topP = useSignal("");
  const temperature = wanted.value ?? settingsOf(run.choice).temperature;
  const sampling = useMemo(
    (): Sampling => ({ prefix: prefix.value, temperature, limits: limitsOf(topK.value, topP.value) }),
    [prefix.value, temperature, topK.value, topP.value],
  );
  return (
    <section class="card writing" aria-label="Write words">
      <h2>Let it write</h2>
      <p class="muted">
        For each letter the model gives every character a share of 100%. A random number from 0 to 1 then picks one: the
        larger its share, the likelier. Take another one with a click on its bar, and the word goes on from there.
      </p>
      <div class="sides">
        <LetterByLetter run={run} characters={characters} sampling={sampling} />
        <div class="sampling">
          <label class="field">
            <span>Temperature: {temperature.toFixed(2)}</span>
            <input
              type="range"
              name="temperature"
              min={0}
              max={2}
              step={0.05}
              value={temperature}
              aria-describedby="hint-temperature"
              onInput={({ currentTarget }) => (wanted.value = Number(currentTarget.value))}
            />
            <small id="hint-temperature">high: the bars become more alike; 0: always the longest</small>
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
          </div>
          <label class="field">
            <span>Begins with</span>
            <input
              name="prefix"
              value={prefix.value}
              spellcheck={false}
              autocomplete="off"
              autocapitalize="none"
              dir="auto"
              onInput={({ currentTarget }) => (prefix.value = currentTarget.value)}
            />
          </label>
          <ManyWords run={run} sampling={sampling} />
        </div>
      </div>
    </section>
  );
}

/** Generates words on request. */
function ManyWords({ run, sampling }: { readonly run: Run; readonly sampling: Sampling }) {
  const count = useSignal("10");
  const names = useSignal<readonly Sample[]>([]);
  const refusal = useSignal("");
  const write = (): void => {
    const { temperature, prefix, limits } = sampling;
    run.ask("generate", Number(count.value || NaN), temperature, prefix, limits).then(
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
    <>
      <form
        class="many"
        onSubmit={(event) => {
          event.preventDefault();
          write();
        }}
      >
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
        <button type="submit">Write words</button>
      </form>
      <p class="problem" role="alert" id="words-refusal">
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
    </>
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
