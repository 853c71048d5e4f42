import { useSignal } from "@preact/signals";

interface Props {
  /** A word of the list. */
  readonly example: string;
  readonly isBusy: boolean;
  /** @param word undefined for any of the list */
  readonly take: (word: string | undefined) => void;
}

/** Asks what a step on another word would do. */
export function WhatIf({ example, isBusy, take }: Props) {
  const word = useSignal("");
  return (
    <form
      class="card what-if"
      aria-label="What if"
      onSubmit={(event) => {
        event.preventDefault();
        take(word.value || example);
      }}
    >
      <label for="what-if">What would another word do? On a copy: the training stays as it is.</label>
      <div class="row">
        <input
          id="what-if"
          name="what-if"
          value={word.value}
          placeholder={example}
          spellcheck={false}
          autocomplete="off"
          autocapitalize="none"
          dir="auto"
          onInput={({ currentTarget }) => (word.value = currentTarget.value)}
        />
        <button type="submit" disabled={isBusy}>
          What if
        </button>
        <button type="button" disabled={isBusy} onClick={() => take(undefined)}>
          Any word of the list
        </button>
      </div>
    </form>
  );
}
