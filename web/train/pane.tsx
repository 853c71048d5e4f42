import { LossChart } from "../components/chart";
import { downloadLosses } from "../components/download-losses";
import { lossText } from "../components/loss-text";
import type { Run } from "../workbench/run";
import type { Workbench } from "../workbench/workbench";
import { CheckpointFiles } from "./checkpoint-files";
import { Controls } from "../components/controls";
import { LongerLines } from "./longer-lines";
import { Memory } from "./memory";
import { SettingsForm } from "./settings-form";
import { Words } from "../components/words";

/** The pane that trains a model in this page. */
export function TrainPane({ bench }: { readonly bench: Workbench }) {
  const run = bench.run.value;
  const prepared = bench.next.value ?? run;
  return (
    <div class="pane train">
      <div>
        <p class="lead">
          Press <strong>Train</strong>: a model that knows nothing yet goes through a list of words, guesses each next
          letter, and is put right a little at every step, until it makes up words of its own. Go slower to watch it
          learn; then <a href="#inside">look inside</a>.
        </p>
        <Controls bench={bench} />
        <section class="card" aria-label="Loss">
          <h2>Loss</h2>
          {run && <Status run={run} />}
          <LossChart source={run} earlier={bench.earlier.value} />
          {run && <Blind characters={Array.from(run.ready.vocabulary).length} />}
          {run && (
            <button type="button" onClick={() => downloadLosses(run)}>
              Download the losses
            </button>
          )}
        </section>
        {run && <Words run={run} />}
      </div>
      <div>
        <SettingsForm bench={bench} />
        {prepared && <Memory run={prepared} />}
        {bench.next.value && <Remarks run={bench.next.value} />}
        {prepared && <LongerLines bench={bench} run={prepared} />}
      </div>
      {run && <CheckpointFiles bench={bench} run={run} />}
    </div>
  );
}

/** Explains the loss, with that of a uniform guess for comparison. */
function Blind({ characters }: { readonly characters: number }) {
  return (
    <p class="muted">
      How surprised the model is by the next character (the cross-entropy). Guessing blindly among {characters}{" "}
      characters and the end of the word costs {Math.log(characters + 1).toFixed(2)}; the lower, the better.
    </p>
  );
}

/** Remarks of the training. */
function Remarks({ run }: { readonly run: Run }) {
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

function Status({ run }: { readonly run: Run }) {
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
            <dt>took</dt>
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
      <Remarks run={run} />
    </>
  );
}
