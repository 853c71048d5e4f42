import type { Run } from "../workbench/run";
import { settingsOf } from "../workbench/address";
import type { Workbench } from "../workbench/workbench";

/** The recipe whose attention is the least even, and what was measured: on the names, seed 42, after ▸mar. */
const STEPS = 2000;
const MEASURED = "from 5% to 83% for “▸mar” of the names";

/** Offers the recipe of which attention shows more, unless it was this one. */
export function SharperRecipe({ bench, run }: { readonly bench: Workbench; readonly run: Run }) {
  const steps = run.stepsDone.value;
  const { model, training } = settingsOf(run.choice);
  if (steps === 0) return <>Training has not begun: it may change that.</>;
  if (run.isRunning.value || (model.preset === "tuned" && (training.steps ?? 0) >= STEPS)) return null;
  const train = (): void => {
    bench.change({ preset: "tuned", steps: String(STEPS), batch_size: "", learning_rate: "" });
    bench.attempt(bench.start());
  };
  return (
    <>
      The recipe “tuned” learns to look more: after {STEPS.toLocaleString("en")} steps, {MEASURED}.{" "}
      <button type="button" onClick={train}>
        Train it: tuned, {STEPS.toLocaleString("en")} steps
      </button>
    </>
  );
}
