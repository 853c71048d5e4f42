import { signal, useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { BOS } from "../../src/gpt/data/vocabulary";
import type { ModelConfig } from "../../src/gpt/model/config";
import type { Run } from "../workbench/run";
import { Controls } from "../components/controls";
import type { Workbench } from "../workbench/workbench";
import { Attention } from "./attention";
import { Characters } from "./characters";
import { Embedding } from "./embedding";
import { useModelSnapshot } from "./model-snapshot";
import "./inside.css";
import { NextCharacter } from "./next-character";
import { SharperRecipe } from "./sharper-recipe";
import { shapeOf } from "../workbench/shape";
import { Weights } from "./weights";
import { WhatIfCard } from "./what-if";
import { WordChoice } from "./word-choice";
import { Writing } from "./writing";

/** Number of runs that have been looked into. */
let runs = 0;

/** A name of the list of names, of the usual length. */
const TYPICAL_NAME = "maria";

/** The typed word, valid for one vocabulary, and the chosen position; both survive a change of pane. */
const typed = signal<{ readonly vocabulary: string; readonly word: string } | undefined>(undefined);
const chosen = signal<number | undefined>(undefined);

/** The pane that shows the inside of the model, during training or afterwards. */
export function InsidePane({ bench }: { readonly bench: Workbench }) {
  const run = bench.run.value;
  return (
    <div class="pane inside">
      <Controls bench={bench} />
      {run && <Views bench={bench} run={run} />}
    </div>
  );
}

function Views({ bench, run }: { readonly bench: Workbench; readonly run: Run }) {
  const layer = useSignal(0);
  const characters = useMemo(() => new Characters(run.ready.vocabulary), [run]);
  const config = useMemo(() => shapeOf(run.choice, run.ready.vocabulary), [run]);
  const usual = useMemo(() => usualWord(run, config), [run, config]);
  const card = useMemo(() => ++runs, [run]);
  const word = typed.value?.vocabulary === run.ready.vocabulary ? typed.value.word : usual;
  const { snapshot, refusal } = useModelSnapshot(run, word);
  const tokens = snapshot?.inspection.tokens ?? [];
  const position = Math.max(0, Math.min(chosen.value ?? tokens.length >> 1, tokens.length - 1));
  const choose = (next: number): void => void (chosen.value = next);
  return (
    <>
      <Progress run={run} />
      <Writing run={run} characters={characters} />
      <WordChoice
        word={word}
        tokens={tokens}
        position={position}
        characters={characters}
        refusal={refusal}
        take={(word) => (typed.value = { vocabulary: run.ready.vocabulary, word })}
        choose={choose}
      />
      {snapshot && (
        <div class="views">
          <div>
            <NextCharacter inspection={snapshot.inspection} position={position} characters={characters} />
            <Embedding
              weights={snapshot.weights}
              config={config}
              characters={characters}
              token={tokens[position] ?? BOS}
            />
          </div>
          <div>
            <Attention
              inspection={snapshot.inspection}
              position={position}
              characters={characters}
              layer={layer}
              choose={choose}
              offer={<SharperRecipe bench={bench} run={run} />}
            />
            <WhatIfCard key={card} run={run} config={config} />
          </div>
          <Weights run={run} weights={snapshot.weights} config={config} characters={characters} layer={layer} />
        </div>
      )}
    </>
  );
}

function Progress({ run }: { readonly run: Run }) {
  void run.changes.value;
  const { smoothed } = run.curve;
  if (run.stepsDone.value === 0)
    return (
      <p class="lead">
        Untrained, it knows nothing yet: press <strong>Train</strong>, slowly if you like, and watch the pictures
        change.
      </p>
    );
  return (
    <p class="lead">
      Step {run.stepsDone.value.toLocaleString("en")} of {run.ready.steps.toLocaleString("en")}
      {smoothed !== undefined && <>, loss {smoothed.toFixed(2)}</>}
    </p>
  );
}

/** The word that is shown at first: one of the list that fits the model. */
function usualWord({ choice, ready }: Run, { blockSize }: ModelConfig): string {
  return choice.list === "names" && TYPICAL_NAME.length < blockSize ? TYPICAL_NAME : ready.example;
}
