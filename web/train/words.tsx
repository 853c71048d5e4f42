import { effect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Word } from "../components/words";
import { Refresher } from "../inside/refresher";
import type { Run } from "../workbench/run";
import type { Sample } from "../worker/messages";
import { unlessEnded } from "./unless-ended";

/** Minimum time between two requests for words, in milliseconds. */
const PERIOD_MS = 500;

/** What the model writes: untrained, now, and after the training. */
export function Words({ run }: { readonly run: Run }) {
  useEffect(() => refreshWords(run), [run]);
  const words = run.words.value;
  const last = run.lastNames.value;
  const step = words[0]?.step ?? 0;
  return (
    <section class="card words" aria-label="What it writes">
      <h2>What it writes</h2>
      <div class="columns">
        <div>
          <h3>untrained</h3>
          <List kind="untrained" samples={run.ready.untrained} />
        </div>
        <div>
          <h3>
            now <small>{step > 0 && `after ${step.toLocaleString("en")} ${step === 1 ? "step" : "steps"}`}</small>
          </h3>
          <List kind="now" samples={words} />
        </div>
      </div>
      {last.length > 0 && (
        <>
          <h3>After the training</h3>
          <List kind="names" samples={last} />
        </>
      )}
      <p class="muted">
        The number: bits a letter, how improbable the model that wrote the word finds it (its end is a letter too).
        Blind guessing: {Math.log2(Array.from(run.ready.vocabulary).length + 1).toFixed(1)}. “known” is in the list,
        “new” is not.
      </p>
    </section>
  );
}

function List({ kind, samples }: { readonly kind: string; readonly samples: readonly Sample[] }) {
  return (
    <ol class={`samples ${kind}`}>
      {samples.map((sample, i) => (
        <li key={i}>
          <Word sample={sample} />
        </li>
      ))}
    </ol>
  );
}

/** Asks for the words of now after every change, at most twice a second; returns what ends that. */
function refreshWords(run: Run): () => void {
  const refresher = new Refresher(async () => {
    run.words.value = (await run.ask("words").catch(unlessEnded)) ?? [];
  }, PERIOD_MS);
  const end = effect(() => {
    if (run.changes.value >= 0) refresher.ask();
  });
  return () => {
    end();
    refresher.end();
  };
}
