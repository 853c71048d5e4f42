import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { InputError } from "../../src/gpt/base/errors";
import { download } from "../components/download";
import type { Run } from "../workbench/run";
import type { Workbench } from "../workbench/workbench";
import { drawPicture } from "./picture";

interface Props {
  readonly bench: Workbench;
  readonly run: Run;
}

/** Hands the training on: a link that repeats it, and a picture of it. */
export function HandOn({ bench, run }: Props) {
  const link = useSignal("");
  const isCopied = useSignal(false);
  const { choice } = bench;
  useEffect(() => void ((link.value = ""), (isCopied.value = false)), [choice.value]);
  const own = bench.ownList();
  const copy = async (): Promise<void> => {
    link.value = await bench.link();
    try {
      await navigator.clipboard.writeText(link.value);
      isCopied.value = true;
    } catch {
      // Not allowed here: the link is shown, to be copied by hand.
    }
  };
  const save = async (): Promise<void> => {
    const picture = await drawPicture(run);
    if (!picture) throw new InputError("This browser cannot draw the picture.");
    download(`esp32gpt-${choice.value.list}.png`, picture);
  };
  return (
    <section class="card" aria-label="Hand it on">
      <h2>Hand it on</h2>
      <p class="muted">
        A link repeats this training anywhere: it carries the list, the settings and the seed, but nothing that the
        model has learnt{run.ownWords.value.length > 0 && ", and none of the words that you taught it"}. For that, hand
        on the checkpoint.
      </p>
      <div class="row">
        <button type="button" onClick={() => bench.attempt(copy())}>
          Copy a link
        </button>
        <button type="button" disabled={run.stepsDone.value === 0} onClick={() => bench.attempt(save())}>
          Save a picture
        </button>
        {own && (
          <button type="button" onClick={() => download("list.txt", own.bytes)}>
            Download the list
          </button>
        )}
      </div>
      {link.value !== "" && (
        <label class="field">
          <span role="status">{isCopied.value ? "The link is copied." : "The link, to copy:"}</span>
          <input name="link" readOnly value={link.value} onFocus={({ currentTarget }) => currentTarget.select()} />
          {own && !link.value.includes("words=") && (
            <small>Your list is too long for a link: hand on the file of the list as well.</small>
          )}
        </label>
      )}
    </section>
  );
}
