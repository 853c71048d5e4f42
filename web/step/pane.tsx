import { signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import type { JSX } from "preact";
import { exitOf } from "../components/exit";
import { Characters } from "../inside/characters";
import type { Run } from "../workbench/run";
import { shapeOf } from "../workbench/shape";
import type { Workbench } from "../workbench/workbench";
import type { StepRecording } from "../worker/step-recording";
import { Adam, Again, Gradients } from "./backward-pictures";
import { Attention, Embedding, Logits, Mlp, Residual, Tokens } from "./forward-pictures";
import { Letters } from "./letters";
import { ModelMap, type Stage } from "../model-map/model-map";
import "./step.css";
import { type View, type Weight, wordOf } from "./view";
import { WhatIf } from "./what-if";

interface Picture {
  readonly title: string;
  readonly stage: Stage;
  readonly Content: (view: View) => JSX.Element;
  /** Whether it shows one position, and one layer. */
  readonly hasPosition: boolean;
  readonly hasLayer: boolean;
  readonly hasSquares: boolean;
}

const PICTURES: readonly Picture[] = [
  { title: "Tokens", stage: "tokens", Content: Tokens, hasPosition: false, hasLayer: false, hasSquares: false },
  { title: "Embedding", stage: "embedding", Content: Embedding, hasPosition: true, hasLayer: false, hasSquares: true },
  { title: "Attention", stage: "attention", Content: Attention, hasPosition: true, hasLayer: true, hasSquares: true },
  { title: "Residual", stage: "residual", Content: Residual, hasPosition: true, hasLayer: true, hasSquares: true },
  { title: "MLP", stage: "mlp", Content: Mlp, hasPosition: true, hasLayer: true, hasSquares: true },
  { title: "Loss", stage: "logits", Content: Logits, hasPosition: true, hasLayer: false, hasSquares: false },
  { title: "Gradients", stage: "gradients", Content: Gradients, hasPosition: false, hasLayer: true, hasSquares: true },
  { title: "Adam", stage: "adam", Content: Adam, hasPosition: false, hasLayer: false, hasSquares: true },
  { title: "Again", stage: "logits", Content: Again, hasPosition: false, hasLayer: false, hasSquares: false },
];

/** What was recorded last, and what is chosen of it; they survive a change of pane. */
const recorded = signal<{ readonly run: Run; readonly recording: StepRecording } | undefined>(undefined);
const isBusy = signal(false);
const picture = signal(0);
const document = signal(0);
/** By default the middle of the word. */
const position = signal<number | undefined>(undefined);
const layer = signal(0);
const head = signal(0);
const weight = signal<Weight | undefined>(undefined);

/** The pane that walks through one step of the training. */
export function StepPane({ bench }: { readonly bench: Workbench }) {
  const run = bench.run.value;
  const shown = recorded.value?.run === run ? recorded.value : undefined;

  const record = (work: Promise<typeof recorded.value>, first: number): void => {
    isBusy.value = true;
    const done = work
      .then((next) => {
        if (!next) return;
        recorded.value = next;
        document.value = 0;
        picture.value = first;
      })
      .finally(() => (isBusy.value = false));
    bench.attempt(done);
  };
  const nextStep = (): void => {
    if (!isBusy.value) record(bench.recordStep(layer.value), 0);
  };
  const whatIf = (word: string | undefined): void => {
    if (!isBusy.value && run)
      record(
        run.recordWhatIf(word, layer.value).then((recording) => ({ run, recording })),
        shown ? picture.value : 0,
      );
  };
  const goTo = (next: number): void => {
    picture.value = Math.max(0, Math.min(next, PICTURES.length - 1));
  };

  useEffect(() => {
    const follow = (event: KeyboardEvent): void => {
      const { target, key, defaultPrevented, altKey, ctrlKey, metaKey } = event;
      if (defaultPrevented || altKey || ctrlKey || metaKey || (key !== "ArrowLeft" && key !== "ArrowRight")) return;
      if (target instanceof Element && target.closest("input, select, textarea, .wide")) return;
      event.preventDefault();
      if (shown) goTo(picture.value + (key === "ArrowRight" ? 1 : -1));
      else if (key === "ArrowRight" && bench.ofNextStep) nextStep();
    };
    addEventListener("keydown", follow);
    return () => removeEventListener("keydown", follow);
  });

  const exit = exitOf(bench);
  const problem = bench.trouble.value || bench.problem.value || run?.problem.value;
  return (
    <div class="pane step" aria-busy={isBusy.value}>
      <p class="problem" role="alert">
        {problem}
      </p>
      {exit && (
        <p>
          <button type="button" onClick={() => bench.attempt(exit.take())}>
            {exit.label}
          </button>
        </p>
      )}
      {!run && !problem && (
        <p class="muted" role="status">
          The training is being prepared.
        </p>
      )}
      {run && !shown && <Entrance bench={bench} run={run} begin={nextStep} />}
      {run && shown && <Walk bench={bench} run={run} recording={shown.recording} goTo={goTo} nextStep={nextStep} />}
      {run && <WhatIf example={run.ready.example} isBusy={isBusy.value} take={whatIf} />}
    </div>
  );
}

interface EntranceProps {
  readonly bench: Workbench;
  readonly run: Run;
  readonly begin: () => void;
}

function Entrance({ bench, run, begin }: EntranceProps) {
  const next = bench.ofNextStep;
  const number = next && (next.stepsDone.value + 1).toLocaleString("en");
  const { choice, ready } = next ?? run;
  return (
    <section class="card" aria-label="One step">
      <h2>One step, slowly</h2>
      <div class="stage-map">
        <ModelMap compact layers={shapeOf(choice, ready.vocabulary).nLayer} />
      </div>
      {!next ? (
        <p>
          {run.isOver.value
            ? "The training is over: there is no next step."
            : "The training cannot go on: there is no next step."}{" "}
          You can still see what a step on a word of your choice <em>would</em> do.
        </p>
      ) : (
        <>
          <p>
            A training is one small step after another. Walk through the next one, step {number} of{" "}
            {ready.steps.toLocaleString("en")}, in nine pictures, from the letters to a changed weight, with its real
            numbers. It counts as a step of the training.
            {next !== run
              ? " Your changed settings begin with it, and the present run ends."
              : run.isRunning.value && " The training is running: it pauses for this."}
          </p>
          <p>
            <button type="button" class="primary" disabled={isBusy.value} onClick={begin}>
              {next === run && run.isRunning.value ? "Pause, and walk through a step" : `Walk through step ${number}`}
            </button>
          </p>
        </>
      )}
    </section>
  );
}

interface WalkProps {
  readonly bench: Workbench;
  readonly run: Run;
  readonly recording: StepRecording;
  readonly goTo: (picture: number) => void;
  readonly nextStep: () => void;
}

function Walk({ bench, run, recording, goTo, nextStep }: WalkProps) {
  const characters = useMemo(() => new Characters(run.ready.vocabulary), [run]);
  const next = bench.ofNextStep;
  const at = picture.value;
  const own = PICTURES[at];
  if (!own) throw new RangeError(`There is no picture ${at}.`);
  const { layers } = recording.shape;
  const { documents, documentCount } = recording;
  const chosen = documents[Math.min(document.value, documents.length - 1)];
  const { Content } = own;
  const layerShown = Math.min(layer.value, layers - 1);
  const view: View | undefined = chosen && {
    recording,
    document: chosen,
    characters,
    position: Math.min(position.value ?? chosen.kept >> 1, chosen.kept - 1),
    layer: layerShown,
    head: Math.min(head.value, recording.shape.heads - 1),
    weight: weight.value,
    chooseHead: (next) => (head.value = next),
    chooseWeight: (next) => (weight.value = next),
  };
  return (
    <section class="card walk" aria-label="One step">
      <div class="top">
        <Which run={run} recording={recording} />
        <div class="stage-map">
          <ModelMap compact stage={own.stage} layer={layerShown} layers={layers} />
        </div>
      </div>
      <nav class="stations" aria-label="Pictures of the step">
        <button type="button" aria-label="Previous picture" disabled={at === 0} onClick={() => goTo(at - 1)}>
          ←
        </button>
        <ol>
          {PICTURES.map(({ title }, i) => (
            <li key={title}>
              <button type="button" aria-current={i === at ? "step" : undefined} onClick={() => goTo(i)}>
                <small>{i + 1}</small> <span>{title}</span>
              </button>
            </li>
          ))}
        </ol>
        <button
          type="button"
          aria-label="Next picture"
          disabled={at === PICTURES.length - 1}
          onClick={() => goTo(at + 1)}
        >
          →
        </button>
      </nav>
      <div class="heading">
        <h3 aria-live="polite">
          {own.title}
          <span class="hidden">, picture {at + 1} of 9</span>
        </h3>
        {documentCount > 1 && (
          <label class="choice">
            <span>Word</span>
            <select
              name="document"
              value={Math.min(document.value, documents.length - 1)}
              onChange={({ currentTarget }) => (document.value = Number(currentTarget.value))}
            >
              {documents.map((one, i) => (
                <option key={i} value={i}>
                  {i + 1} of {documentCount}: {wordOf(one, characters)}
                </option>
              ))}
            </select>
          </label>
        )}
        {layers > 1 && own.hasLayer && (
          <label class="choice">
            <span>Layer</span>
            <select
              name="layer"
              value={layerShown}
              onChange={({ currentTarget }) => (layer.value = Number(currentTarget.value))}
            >
              {Array.from({ length: layers }, (_, i) => (
                <option key={i} value={i}>
                  {i + 1} of {layers}
                </option>
              ))}
            </select>
          </label>
        )}
      </div>
      {view && view.document.kept > 0 ? (
        <div class="picture" key={at}>
          {own.hasPosition && (
            <Letters
              document={view.document}
              characters={characters}
              position={view.position}
              choose={(next) => (position.value = next)}
            />
          )}
          <Content {...view} />
          {own.hasSquares && (
            <p class="muted">
              Orange squares are positive numbers, blue ones negative, faint ones near 0. Point at one, or go there with
              Tab and the arrow keys, to read it.
            </p>
          )}
        </div>
      ) : (
        <p class="muted">This model is too large to be shown.</p>
      )}
      {at === PICTURES.length - 1 && next && (
        <p>
          <button type="button" class="primary" disabled={isBusy.value} onClick={nextStep}>
            {next === run ? "Next step" : "Begin with the changed settings"}
          </button>
        </p>
      )}
    </section>
  );
}

/** Which step it is. */
function Which({ run, recording }: { readonly run: Run; readonly recording: StepRecording }) {
  const { isReal, step } = recording;
  const number = (step + 1).toLocaleString("en");
  if (!isReal)
    return (
      <p>
        <strong>What if:</strong> a step on one word, on a copy. The training itself is as it was, at step{" "}
        {run.stepsDone.value.toLocaleString("en")}.
      </p>
    );
  const since = run.stepsDone.value - step - 1;
  return (
    <p>
      <strong>
        Step {number} of {run.ready.steps.toLocaleString("en")}
      </strong>
      , done and recorded.{" "}
      {run.isOver.value
        ? "It was the last one: the training is over."
        : since > 0
          ? `The training has done ${since.toLocaleString("en")} more since.`
          : "The training is paused after it."}
    </p>
  );
}
