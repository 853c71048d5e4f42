import { useRef } from "preact/hooks";
import { BOS } from "../../src/gpt/data/vocabulary";
import type { Characters } from "./characters";

interface Props {
  readonly word: string;
  /** BOS and the characters of the word. */
  readonly tokens: readonly number[];
  /** Index of the chosen token. */
  readonly position: number;
  readonly characters: Characters;
  /** Why the word cannot be inspected, or "". */
  readonly refusal: string;
  readonly take: (word: string) => void;
  readonly choose: (position: number) => void;
}

/** Input of a word, and selection of one of its letters. */
export function WordChoice({ word, tokens, position, characters, refusal, take, choose }: Props) {
  const letters = useRef<HTMLDivElement>(null);
  const last = tokens.length - 1;
  const { isRightToLeft, direction } = characters;
  const [back, forth] = isRightToLeft ? ["→", "←"] : ["←", "→"];
  const unseen = [...new Set(tokens)].filter(
    (token) => token !== BOS && characters.symbolOf(token) !== characters.nameOf(token),
  );
  const move = (to: number): void => {
    // Before the first picture there is no letter.
    if (last < 0) return;
    const next = Math.min(last, Math.max(0, to));
    choose(next);
    letters.current?.querySelectorAll("button")[next]?.focus();
  };
  const follow = (event: KeyboardEvent): void => {
    const ahead = isRightToLeft ? -1 : 1;
    const to = { ArrowLeft: position - ahead, ArrowRight: position + ahead, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    move(to);
  };
  return (
    <section class="card word" aria-label="The word">
      <label class="field">
        <span>A word to look at</span>
        <input
          name="word"
          value={word}
          spellcheck={false}
          autocomplete="off"
          autocapitalize="none"
          dir="auto"
          aria-invalid={refusal !== ""}
          aria-describedby="word-refusal"
          onInput={({ currentTarget }) => take(currentTarget.value)}
        />
      </label>
      <p class="problem" role="alert" id="word-refusal">
        {refusal}
      </p>
      <div class="row" dir={direction}>
        <div class="letters" role="group" aria-label="Letters of the word" ref={letters} onKeyDown={follow}>
          {tokens.map((token, i) => (
            <button
              key={i}
              type="button"
              aria-label={labelOf(token, characters)}
              aria-pressed={i === position}
              tabIndex={i === position ? 0 : -1}
              onClick={() => choose(i)}
            >
              {characters.symbolOf(token)}
            </button>
          ))}
        </div>
        <button
          type="button"
          aria-label="Previous letter"
          disabled={position <= 0}
          onClick={() => choose(position - 1)}
        >
          {back}
        </button>
        <button type="button" aria-label="Next letter" disabled={position >= last} onClick={() => choose(position + 1)}>
          {forth}
        </button>
      </div>
      {unseen.length > 0 && (
        <p class="muted unseen">
          {unseen.map((token) => (
            <span key={token}>
              <strong>{characters.symbolOf(token)}</strong> is {characters.nameOf(token)}.{" "}
            </span>
          ))}
        </p>
      )}
      <p class="muted">
        Choose a letter, with a click or the arrow keys: the pictures show what the model makes of the word up to that
        letter. {characters.symbolOf(BOS)} is the start, before any letter.
      </p>
    </section>
  );
}

/** The name of a letter, with its sign where that is an abbreviation. */
function labelOf(token: number, characters: Characters): string {
  const [sign, name] = [characters.symbolOf(token), characters.nameOf(token)];
  return sign.length > 2 && sign !== name ? `${sign}, ${name}` : name;
}
