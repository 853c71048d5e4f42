import { Controls } from "../components/controls";
import { HandOn } from "../hand-on/hand-on";
import type { Workbench } from "../workbench/workbench";
import { CheckpointFiles } from "./checkpoint-files";
import { ListCards } from "./list-cards";
import { LongerLines } from "./longer-lines";
import { LossCard, LossNotes, Remarks } from "./loss-card";
import { Memory } from "./memory";
import { OwnWords } from "./own-words";
import { SettingsForm } from "./settings-form";
import { Words } from "./words";

/** The pane that trains a model in this page. */
export function TrainPane({ bench }: { readonly bench: Workbench }) {
  const run = bench.run.value;
  const prepared = bench.next.value ?? run;
  return (
    <div class="pane train">
      <ListCards bench={bench} />
      <Controls bench={bench} />
      {bench.next.value && <Remarks run={bench.next.value} />}
      {prepared && <LongerLines bench={bench} run={prepared} />}
      <div class="learning">
        <LossCard bench={bench} run={run} />
        {run && <Words run={run} />}
        <LossNotes bench={bench} run={run} />
      </div>
      <div class="below">
        <div>
          <SettingsForm bench={bench} />
          {run && <CheckpointFiles bench={bench} run={run} />}
          {run && <HandOn bench={bench} run={run} />}
        </div>
        <div>
          {run && <OwnWords bench={bench} run={run} />}
          {prepared && <Memory run={prepared} />}
        </div>
      </div>
    </div>
  );
}
