import { type Signal, useSignal } from "@preact/signals";
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
            <LimitField
              label="top-k"
              name="top_k"
              none="all"
              value={topK}
              hint="draw only from this many of the longest bars"
            />
            <LimitField
              label="top-p"
              name="top_p"
              none="1"
              value={topP}
              hint="draw only from the longest bars that make up this share"
            />
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

interface LimitProps {
  readonly label: string;
  readonly name: string;
  /** What an empty field means. */
  readonly none: string;
  readonly value: Signal<string>;
  readonly hint: string;
}

/** Field for a limit of what is drawn from. */
function LimitField({ label, name, none, value, hint }: LimitProps) {
  return (
    <label class="field">
      <span>{label}</span>
      <input
        type="number"
        name={name}
        step="any"
        placeholder={none}
        value={value.value}
        aria-describedby={`hint-${name}`}
        onInput={({ currentTarget }) => (value.value = currentTarget.value)}
      />
      <small id={`hint-${name}`}>{hint}</small>
    </label>
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
