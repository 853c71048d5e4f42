import { useEffect } from "preact/hooks";
import { LossChart } from "../components/chart";
import { downloadLosses } from "../components/download-losses";
import { lossText } from "../components/loss-text";
import type { Run } from "../workbench/run";
import type { Workbench } from "../workbench/workbench";
import { presetOf } from "./fields";
import { unlessEnded } from "./unless-ended";

/** What a training should be below the counting of pairs at its end, in nats a token: twice the curve's noise. */
const CLEARLY = 0.15;
/** Steps of the recipe that is suggested. */
const SUGGESTED_STEPS = "1000";

interface Props {
  readonly bench: Workbench;
  readonly run: Run | undefined;
}

/** The curve of the loss, beside what it is compared with. */
export function LossCard({ bench, run }: Props) {
  const tokens = run && Array.from(run.ready.vocabulary).length + 1;
  useEffect(() => {
    if (run && run.pairLoss.value === undefined)
      void run.ask("pairLoss").then((loss) => (run.pairLoss.value = loss), unlessEnded);
  }, [run]);
  return (
    <section class="card loss" aria-label="Loss">
      <h2>Loss</h2>
      {run && <Figures run={run} />}
      <LossChart
        source={run}
        earlier={bench.earlier.value}
        steps={run?.ready.steps}
        blind={tokens && Math.log(tokens)}
        pairs={run?.pairLoss.value}
      />
    </section>
  );
}

/** What the chart shows, in words, and what can be done with it. */
export function LossNotes({ bench, run }: Props) {
  const tokens = run && Array.from(run.ready.vocabulary).length + 1;
  return (
    <section class="card" aria-label="About the loss">
      {run && <Suggestion bench={bench} run={run} />}
      {run && <Remarks run={run} />}
      <p class="muted">
        The curve is the loss: how surprised the model is by the next letter (the cross-entropy, in nats). The lower,
        the better.
      </p>
      {tokens && <Lines run={run} tokens={tokens} />}
      <div class="row">
        {run && (
          <button type="button" onClick={() => downloadLosses(run)}>
            Download the losses
          </button>
        )}
        {bench.earlier.value.length > 0 && (
          <button type="button" onClick={() => (bench.earlier.value = [])}>
            Clear earlier curves
          </button>
        )}
      </div>
    </section>
  );
}

/** What the two lines of the chart are. */
function Lines({ run, tokens }: { readonly run: Run; readonly tokens: number }) {
  const isByLetter = presetOf(run.choice.values) === "tuned";
  return (
    <details>
      <summary>What the two lines mean</summary>
      <p class="muted">
        Guessing blindly: each of the {tokens - 1} characters and the end of the word has the same probability. That
        costs ln {tokens} = {Math.log(tokens).toFixed(2)}.
      </p>
      <p class="muted">
        Counting pairs: how often each letter follows each other one in the words that are trained on, those held out
        left aside, and one more for every pair, so that none is impossible (a bigram model). Its loss on the same words
        is measured as that of the training:{" "}
        {isByLetter
          ? "the mean over all letters and ends"
          : "the mean over the letters and the end of a word, then over the words"}
        . It sees one letter back. What the curve is below this line, the model has from seeing the whole beginning of
        the word, by attention.
      </p>
    </details>
  );
}

/** The recipe that learns more, where the training has not learnt clearly more than pairs of letters. */
function Suggestion({ bench, run }: { readonly bench: Workbench; readonly run: Run }) {
  void run.changes.value;
  const { smoothed } = run.curve;
  const pairs = run.pairLoss.value;
  const isWhole = run.stepsDone.value >= run.ready.steps;
  if (!isWhole || smoothed === undefined || pairs === undefined || smoothed < pairs - CLEARLY) return null;
  if (bench.next.value || presetOf(run.choice.values) === "tuned") return null;
  const take = (): void => {
    bench.change({ preset: "tuned", steps: SUGGESTED_STEPS, batch_size: "", learning_rate: "", relative_bias: "" });
    bench.attempt(bench.start());
  };
  return (
    <p class="note">
      At its end this run is {smoothed < pairs ? "hardly" : "no"} better than counting pairs of letters.{" "}
      <button type="button" onClick={take}>
        Train with “learns more”
      </button>
    </p>
  );
}

/** Remarks of the training. */
export function Remarks({ run }: { readonly run: Run }) {
  return (
    <>
      {run.remarks.value.map((sentence, i) => (
        <p key={i} class="muted remark">
          {sentence}
        </p>
      ))}
    </>
  );
}

function Figures({ run }: { readonly run: Run }) {
  const took = run.took.value;
  const state = run.isRunning.value
    ? "training"
    : run.isOver.value
      ? "over"
      : run.stepsDone.value > 0
        ? "paused"
        : "ready";
  void run.changes.value;
  const { loss, smoothed, validationLoss } = run.curve;
  const shown = (value: number | undefined): string => lossText(value, 4);
  return (
    <>
      <dl class="figures">
        <div>
          <dt>step</dt>
          <dd>
            {run.stepsDone.value.toLocaleString("en")} <small>of {run.ready.steps.toLocaleString("en")}</small>
          </dd>
        </div>
        <div>
          <dt>loss</dt>
          <dd>{shown(loss)}</dd>
        </div>
        <div>
          <dt>smoothed</dt>
          <dd>{shown(smoothed)}</dd>
        </div>
        {validationLoss !== undefined && (
          <div>
            <dt>validation</dt>
            <dd>{shown(validationLoss)}</dd>
          </div>
        )}
        {took && (
          <div>
            <dt>computing</dt>
            <dd>
              <data value={took.milliseconds}>{(took.milliseconds / 1000).toFixed(2)}</data>{" "}
              <small>s{took.steps < run.ready.steps && ` for the last ${took.steps.toLocaleString("en")} steps`}</small>
            </dd>
          </div>
        )}
      </dl>
      <p class="hidden" role="status">
        The training is {state}.
      </p>
    </>
  );
}
