import type { Run } from "../workbench/run";
import { shapeOf } from "../workbench/shape";
import type { Workbench } from "../workbench/workbench";

/** The largest block_size that is offered: a larger one makes each step slow. */
const MOST = 128;

/** A button that sets block_size so that every line of the list fits; nothing if they do. */
export function LongerLines({ bench, run }: { readonly bench: Workbench; readonly run: Run }) {
  const { vocabulary, longest } = run.ready;
  const { blockSize } = shapeOf(run.choice, vocabulary);
  // One position is for the end of the document.
  const needed = longest + 1;
  if (needed <= blockSize || needed > MOST) return null;
  return (
    <p class="remark">
      <button type="button" onClick={() => bench.change({ block_size: String(needed) })}>
        Set block_size to {needed}, so that every line fits
      </button>
    </p>
  );
}
