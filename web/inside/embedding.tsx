import { useMemo, useRef } from "preact/hooks";
import type { ModelConfig } from "../../src/gpt/model/config";
import { BOS } from "../../src/gpt/data/vocabulary";
import type { Characters } from "./characters";
import { type Label, type Place, placeLabels } from "./label-places";
import { drawLetterMap, type LetterMap, nearestTokens } from "./letter-map";
import { labelsOf, letterSize } from "./map-labels";

/** Minimum distance from the centre to the edge of the map. */
const REACH = 0.8;
const MARGIN = 0.02;
/** A letter that was moved by less than this, in sizes of a letter, has no line to its point. */
const NEAR = 0.6;
/** Number of nearest letters to list. */
const NEAREST = 3;

/** A character on the map: where it is drawn, and its point. */
interface Letter {
  readonly token: number;
  readonly x: number;
  readonly y: number;
  readonly point: Place;
}

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
  const size = letterSize(places.length);
  const labels = useMemo(() => labelsOf(places, (i) => characters.symbolOf(i + 1)), [places, characters]);
  const letters = useMemo(
    () => placeLabels(labels).map(([x, y], i): Letter => ({ token: i + 1, x, y, point: places[i] ?? [x, y] })),
    [labels, places],
  );
  const reach = Math.max(REACH, ...letters.map(({ x, y, token }) => farthest(x, y, labels[token - 1])));
  const { isLowercaseAscii } = characters;
  const kindOf = (i: number): string =>
    isLowercaseAscii ? (characters.isVowel(i) ? "vowel" : "consonant") : "consonant";
  return (
    <section class="card" aria-label="The characters">
      <h2>A map of its alphabet</h2>
      <p class="muted">
        For the model, each character is an arrow of {config.nEmbd} numbers (its embedding), and this map shows the
        arrows from the side where their directions differ most. They begin at random, and training turns those the same
        way that are used alike{isLowercaseAscii && ": in names, after the usual 1,000 steps, the five vowels"}. A
        letter that would cover another stands aside; a thin line leads to its point.
      </p>
      <svg
        class="map"
        viewBox={`${-reach} ${-reach} ${2 * reach} ${2 * reach}`}
        role="img"
        aria-label={`A map of ${places.length} characters: those that lie together are used alike.`}
      >
        <path class="cross" d={`M${-reach} 0H${reach}M0 ${-reach}V${reach}`} />
        {letters.map(({ token: letter, x, y, point: [px, py] }) =>
          Math.hypot(x - px, y - py) < NEAR * size ? null : (
            <g key={letter} class="true">
              <path d={`M${px.toFixed(4)} ${(-py).toFixed(4)}L${x.toFixed(4)} ${(-y).toFixed(4)}`} />
              <circle cx={px.toFixed(4)} cy={(-py).toFixed(4)} r={0.008} />
            </g>
          ),
        )}
        {letters.map(({ token: letter, x, y }) => (
          <g key={letter} class={kindOf(letter)} transform={`translate(${x.toFixed(4)} ${(-y).toFixed(4)})`}>
            {letter === token && <circle r={0.7 * size} />}
            <text y={0.35 * size} font-size={fontSize(size, characters.symbolOf(letter))}>
              {characters.symbolOf(letter)}
            </text>
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

/** How far a label reaches from the centre of the map. */
function farthest(x: number, y: number, { width, height }: Label = { x, y, width: 0, height: 0 }): number {
  return MARGIN + Math.max(Math.abs(x) + width / 2, Math.abs(y) + height / 2);
}

/** A sign of several characters is smaller. */
function fontSize(size: number, sign: string): number {
  return sign.length > 2 ? size * 0.9 : size;
}
