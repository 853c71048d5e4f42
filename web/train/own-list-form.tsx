import { useRef } from "preact/hooks";
import type { Workbench } from "../workbench/workbench";

/** A longer text is taken when it is pasted: the field would block the page while it lays out so many lines. */
const MOST_SHOWN = 20_000;

/** Form for a custom dataset, from a file or pasted. */
export function OwnListForm({ bench }: { readonly bench: Workbench }) {
  const text = useRef<HTMLTextAreaElement>(null);
  const takeLong = (event: ClipboardEvent): void => {
    const pasted = event.clipboardData?.getData("text/plain") ?? "";
    if (pasted.length <= MOST_SHOWN) return;
    event.preventDefault();
    void bench.takeOwnText(pasted);
  };
  return (
    <div class="card own-list">
      <label class="field">
        <span>From a file</span>
        <input
          type="file"
          name="own-file"
          accept=".txt,text/plain"
          onChange={({ currentTarget }) => {
            const file = currentTarget.files?.[0];
            if (file) void bench.takeOwnList(file.name, file);
            // Allows the same file to be chosen again after it has changed.
            currentTarget.value = "";
          }}
        />
      </label>
      <label class="field">
        <span>Or typed here</span>
        <textarea
          name="own-text"
          rows={5}
          ref={text}
          spellcheck={false}
          placeholder={"mercury\nvenus\nearth"}
          onPaste={takeLong}
        />
        <small>
          One short word or phrase per line, in any alphabet; it takes hundreds of them to learn how they sound. They
          stay in this browser. A long text is taken when you paste it, without being shown here.
        </small>
      </label>
      <button type="button" onClick={() => void bench.takeOwnText(text.current?.value ?? "")}>
        Take this text
      </button>
    </div>
  );
}
