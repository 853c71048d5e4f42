import { useSignal } from "@preact/signals";
import { BOS } from "../../src/gpt/data/vocabulary";
import type { Inspection } from "../worker/inspection";
import { type Characters, percent } from "./characters";

/** Maximum number of bars, for the most likely characters. */
const MOST = 12;
/** Probability of a full-length bar, unless one is larger. */
const FULL = 0.5;

interface Props {
  readonly inspection: Inspection;
  readonly position: number;
  readonly characters: Characters;
}

interface Bar {
  readonly token: number;
  readonly probability: number;
}

/** The predicted distribution of the next character. */
export function NextCharacter({ inspection: { tokens, probabilities }, position, characters }: Props) {
  const isByAlphabet = useSignal(false);
  const bars = Array.from(probabilities[position] ?? [], (probability, token): Bar => ({ token, probability }));
  const following = tokens[position + 1] ?? BOS;
  const shown = isByAlphabet.value ? bars : likeliest(bars, following);
  const rest = bars.length - shown.length;
  const restShare = 1 - shown.reduce((sum, { probability }) => sum + probability, 0);
  const full = bars.reduce((most, { probability }) => Math.max(most, probability), FULL);
  const before = tokens
    .slice(0, position + 1)
    .map((token) => characters.symbolOf(token))
    .join("");
  return (
    <section class="card" aria-label="The next character">
      <h2>
        What comes after <bdi dir={characters.direction}>{before}</bdi>
      </h2>
      <p class="muted">
        How likely each character is to come next, as the model sees it. Untrained it finds all of them almost equally
        likely, about {percent(1 / bars.length)} each; training gives longer bars to what often follows in the list.
      </p>
      <label class="inline">
        <input
          type="checkbox"
          name="by-alphabet"
          checked={isByAlphabet.value}
          onChange={({ currentTarget }) => (isByAlphabet.value = currentTarget.checked)}
        />
        <span>all, in the order of the alphabet</span>
      </label>
      <ol class="bars">
        {shown.map(({ token, probability }) => (
          <li key={token} class={token === following ? "following" : undefined}>
            <Sign token={token} characters={characters} />
            <span class="track">
              <span class="bar" style={{ width: `${(100 * probability) / full}%` }} />
            </span>
            <span class="share">
              {percent(probability)}
              {token === following && <span class="hidden"> (so the word goes on)</span>}
            </span>
          </li>
        ))}
        {rest > 0 && (
          <li>
            <span>{rest} more</span>
            <span />
            <span class="share">{percent(Math.max(0, restShare))}</span>
          </li>
        )}
      </ol>
      <p class="muted">
        <span class="swatch following" /> is how your word goes on.
      </p>
    </section>
  );
}

/** A character to come, with its name for screen readers where it has no other. */
export function Sign({ token, characters }: { readonly token: number; readonly characters: Characters }) {
  const [sign, name] = [characters.nextOf(token), characters.nextNameOf(token)];
  if (sign === name) return <bdi class={token === BOS ? "end" : undefined}>{sign}</bdi>;
  return (
    <bdi title={name}>
      <span aria-hidden="true">{sign}</span>
      <span class="hidden">{name}</span>
    </bdi>
  );
}

/** The most likely characters, including the one that follows in the word. */
function likeliest(bars: readonly Bar[], following: number): Bar[] {
  const sorted = bars.toSorted((a, b) => b.probability - a.probability || a.token - b.token);
  const shown = sorted.slice(0, MOST);
  const next = bars[following];
  return !next || shown.includes(next) ? shown : [...shown.slice(0, MOST - 1), next];
}
