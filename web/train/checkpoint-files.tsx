import type { Run } from "../workbench/run";
import type { Workbench } from "../workbench/workbench";
import { download } from "../components/download";

interface Props {
  readonly bench: Workbench;
  readonly run: Run;
}

/** Downloads and uploads the training as a checkpoint file. */
export function CheckpointFiles({ bench, run }: Props) {
  return (
    <section class="card" aria-label="Checkpoint">
      <h2>Checkpoint</h2>
      <p class="muted">
        All that the model has learnt, as a file: boards and the command line use the same format, and a training
        resumes from it exactly.{" "}
        {run.ready.isKept
          ? "This browser also keeps your last training."
          : "This browser keeps nothing after the page is closed: download what you want to keep."}
      </p>
      <div class="row">
        <button
          type="button"
          disabled={run.obstacle.value === "broken"}
          onClick={() =>
            bench.attempt(
              run.ask("checkpoint").then((bytes) => download(`esp32gpt-${run.stepsDone.value}.safetensors`, bytes)),
            )
          }
        >
          Download
        </button>
        <label class="field">
          <span>Upload a safetensors file</span>
          <input
            type="file"
            name="checkpoint"
            accept=".safetensors"
            onChange={({ currentTarget }) => {
              const file = currentTarget.files?.[0];
              if (!file) return;
              bench.attempt(bench.takeCheckpoint(file.name, file));
              currentTarget.value = "";
            }}
          />
        </label>
      </div>
    </section>
  );
}
