import { useMemo, useRef } from "preact/hooks";
import type { ModelConfig } from "../../src/gpt/model/config";
import { BOS } from "../../src/gpt/data/vocabulary";
import type { Characters } from "./characters";
import { drawLetterMap, type LetterMap, nearestTokens } from "./letter-map";

/** Minimum distance from the centre to the edge of the map. */
const REACH = 0.75;
const MARGIN = 0.08;
/** Number of nearest letters to list. */
const NEAREST = 3;

interface Props {
  readonly weights: Float32Array;
  readonly config: ModelConfig;
  readonly characters: Characters;
  /** The marked letter. */
  readonly token: number;
}

/** A map of the embeddings: characters that are used alike are close. */
export function Embedding({ weights, config, characters, token }: Props) {
  const before = useRef<LetterMap>(undefined);
  const { places } = useMemo(
    () => (before.current = drawLetterMap(weights, config, before.current)),
    [weights, config],
  );
  const reach = places.reduce((most, [x, y]) => Math.max(most, Math.abs(x), Math.abs(y)), REACH) + MARGIN;
  // The marked one is drawn last, on top.
  const letters = places
    .map(([x, y], i) => ({ x, y, letter: i + 1 }))
    .sort((a, b) => Number(a.letter === token) - Number(b.letter === token));
  const { isLowercaseAscii } = characters;
  const kindOf = (i: number): string =>
    isLowercaseAscii ? (characters.isVowel(i) ? "vowel" : "consonant") : "consonant";
  return (
    <section class="card" aria-label="The characters">
      <h2>A map of its alphabet</h2>
      <p class="muted">
        For the model, each character is an arrow of {config.nEmbd} numbers (its embedding), and this map shows the
        arrows from the side where their directions differ most. They begin at random, and training turns those the same
        way that are used alike{isLowercaseAscii && ": in names, after the usual 1,000 steps, the five vowels"}.
      </p>
      <svg
        class="map"
        viewBox={`${-reach} ${-reach} ${2 * reach} ${2 * reach}`}
        role="img"
        aria-label={`A map of ${places.length} characters: those that lie together are used alike.`}
      >
        <path class="cross" d={`M${-reach} 0H${reach}M0 ${-reach}V${reach}`} />
        {letters.map(({ x, y, letter }) => (
          <g key={letter} class={kindOf(letter)} transform={`translate(${x.toFixed(4)} ${(-y).toFixed(4)})`}>
            {letter === token && <circle r={0.065} />}
            <text y={0.032}>{characters.symbolOf(letter)}</text>
          </g>
        ))}
      </svg>
      {isLowercaseAscii && (
        <p class="legend">
          <span class="vowel">vowels</span> <span class="consonant">consonants</span>
        </p>
      )}
      {token !== BOS && (
        <p class="reading">
          Nearest to {characters.nameOf(token)}, by all {config.nEmbd} numbers:{" "}
          {nearestTokens(weights, config, token, NEAREST)
            .map((other) => characters.nameOf(other))
            .join(", ")}
        </p>
      )}
    </section>
  );
}
