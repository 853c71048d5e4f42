import { effect, useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { BOS } from "../../src/gpt/data/vocabulary";
import type { Run } from "../workbench/run";
import { type Characters, percent } from "./characters";
import { Sign } from "./next-character";
import { type ComingLetter, type Sampling, WordWriter } from "./word-writer";

/** Time that a draw is shown before its letter falls, in milliseconds. */
const BEAT = 1000;
/** Interval between two looks at a model that trains, in milliseconds: each lays the bars out anew. */
const PERIOD = 200;
/** Maximum number of bars, unless all are wanted. */
const MOST = 12;
/** Minimum share of a letter that is named on the cumulated bar, and of a longer sign. */
const NAMED = 0.025;
const NAMED_AT_LENGTH = 0.1;
/** Probability of a full-length bar, unless one is larger. */
const FULL = 0.3;

interface Props {
  readonly run: Run;
  readonly characters: Characters;
  readonly sampling: Sampling;
}

/** A word that is written letter by letter: what may come, the random number, and the letter on which it falls. */
export function LetterByLetter({ run, characters, sampling }: Props) {
  const changes = useSignal(0);
  const writer = useMemo(() => new WordWriter(run, () => void changes.value++), [run, changes]);
  void changes.value;
  useEffect(() => () => writer.end(), [writer]);
  useEffect(() => {
    writer.refresh(sampling);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = effect(() => {
      if (run.changes.value === 0) return;
      timer ??= setTimeout(() => {
        timer = undefined;
        writer.refresh(sampling);
      }, PERIOD);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [run, writer, sampling]);
  const { coming, isOver, isPlaying, letters, refusal } = writer;
  const isDrawn = coming?.letters === letters;
  useEffect(() => {
    if (!isPlaying || !isDrawn || isOver) return;
    const timer = setTimeout(() => writer.next(), BEAT);
    return () => clearTimeout(timer);
  }, [writer, isPlaying, isDrawn, isOver, letters]);

  const prefix = coming?.draw.prefix ?? [];
  const last = letters.at(-1);
  return (
    <div class={run.isRunning.value ? "letter-by-letter" : "letter-by-letter still"}>
      <div class="row">
        <button type="button" aria-label={isPlaying ? "Pause writing" : "Play"} onClick={() => writer.play(!isPlaying)}>
          {isPlaying ? "Pause" : "Play"}
        </button>
        <button type="button" disabled={isOver} onClick={() => writer.next()}>
          One letter
        </button>
        <button type="button" disabled={letters.length === 0} onClick={() => writer.again()}>
          New word
        </button>
      </div>
      <p class="problem" role="alert" id="letter-refusal">
        {refusal}
      </p>
      <p class="reading">
        {isOver ? "The word has ended here: “New word” or “Play” begins another." : coming && tell(coming, characters)}
      </p>
      {coming && <CumulatedBar coming={coming} characters={characters} />}
      <ol class="written" dir={characters.direction} aria-label="The word so far">
        <li class="given">
          <span class="box">{characters.symbolOf(BOS)}</span>
        </li>
        {prefix.map((token, i) => (
          <li key={`given ${i}`} class="given">
            <span class="box">{characters.symbolOf(token)}</span>
          </li>
        ))}
        {letters.map(({ token, isChosen }, i) => (
          <li key={i} class={isChosen ? "chosen" : "drawn"} title={isChosen ? "chosen by you" : undefined}>
            <span class="box">{token === BOS ? <small>end</small> : characters.symbolOf(token)}</span>
            {isChosen && <span class="hidden"> (chosen by you)</span>}
          </li>
        ))}
        {!isOver && (
          <li class="gap" aria-hidden="true">
            <span class="box">?</span>
          </li>
        )}
      </ol>
      <p class="hidden" role="status">
        {last && `${characters.nextNameOf(last.token)} ${last.isChosen ? "was chosen" : "was drawn"}`}
      </p>
      {coming && (
        <Choices coming={coming} characters={characters} isOver={isOver} choose={(token) => writer.choose(token)} />
      )}
      {writer.words.length > 0 && (
        <p class="words-so-far">
          <span class="muted">So far: </span>
          {writer.words.map((word, i) => (
            <bdi key={writer.words.length - i}>{word.length > 0 ? characters.textOf(word) : "(nothing)"}</bdi>
          ))}
        </p>
      )}
    </div>
  );
}

/** What the random number does. */
function tell({ draw: { probabilities, token, isFull }, number, sampling }: ComingLetter, characters: Characters) {
  if (isFull) return "The word is as long as the model can look back: here it ends.";
  const name = (
    <strong>
      <bdi>{characters.nextNameOf(token)}</bdi>
    </strong>
  );
  if (sampling.temperature === 0)
    return <>At temperature 0 no random number is drawn: the likeliest has 100%, {name}.</>;
  const from = beginsOf(probabilities)[token] ?? 0;
  return (
    <>
      The random number <output>{number.toFixed(4)}</output> falls on {name}, which reaches from {from.toFixed(4)} to{" "}
      {(from + (probabilities[token] ?? 0)).toFixed(4)}.
    </>
  );
}

interface BarProps {
  readonly coming: ComingLetter;
  readonly characters: Characters;
}

/** The shares side by side, from 0 to 1, in the order in which the draw adds them up, and the random number. */
function CumulatedBar({ coming: { draw, number, sampling }, characters }: BarProps) {
  const { probabilities, token: drawn, isFull } = draw;
  if (isFull) return null;
  const begins = beginsOf(probabilities);
  const isCold = sampling.temperature === 0;
  const falls = isCold ? "" : `; the number ${number.toFixed(4)} falls on ${characters.nextNameOf(drawn)}`;
  return (
    <>
      <div class="cumulated" role="img" aria-label={`The shares side by side, from 0 to 1${falls}`}>
        {Array.from(
          probabilities,
          (share, token) =>
            share > 0 && (
              <span
                key={token}
                class={token === drawn ? "segment drawn" : "segment"}
                style={{ left: `${100 * (begins[token] ?? 0)}%`, width: `${100 * share}%` }}
              >
                {labelOf(token, share, characters)}
              </span>
            ),
        )}
        {!isCold && <span class="mark" style={{ left: `${100 * number}%` }} />}
      </div>
      <p class="ends muted" aria-hidden="true">
        <span>0</span>
        <span>1</span>
      </p>
    </>
  );
}

/** What stands on a segment of the bar, if there is room for it. */
function labelOf(token: number, share: number, characters: Characters): string {
  const sign = token === BOS ? "end" : characters.symbolOf(token);
  return share >= (sign.length > 2 ? NAMED_AT_LENGTH : NAMED) ? sign : "";
}

interface ChoicesProps extends BarProps {
  readonly isOver: boolean;
  readonly choose: (token: number) => void;
}

/** The characters that may come: a click takes one. */
function Choices({ coming: { draw }, characters, isOver, choose }: ChoicesProps) {
  const isAll = useSignal(false);
  const { probabilities, token: drawn, isFull } = draw;
  if (isFull) return null;
  const bars = Array.from(probabilities, (probability, token): Bar => ({ token, probability }));
  const shown = isAll.value ? bars : likeliest(bars, drawn);
  const full = bars.reduce((most, { probability }) => Math.max(most, probability), FULL);
  return (
    <>
      <ol class="choices" aria-label="Letters that may come: press one to take it">
        {shown.map(({ token, probability }) => (
          <li key={token}>
            <button
              type="button"
              class={token === drawn ? "drawn" : undefined}
              disabled={isOver}
              onClick={() => choose(token)}
            >
              <Sign token={token} characters={characters} />
              <span class="track">
                <span class="bar" style={{ width: `${(100 * probability) / full}%` }} />
              </span>
              <span class="share">
                <span class="hidden">, </span>
                {percent(probability)}
                {token === drawn && <span class="hidden">, drawn</span>}
              </span>
            </button>
          </li>
        ))}
      </ol>
      <label class="inline">
        <input
          type="checkbox"
          name="all-letters"
          checked={isAll.value}
          onChange={({ currentTarget }) => (isAll.value = currentTarget.checked)}
        />
        <span>all {bars.length} bars, in the order of the alphabet</span>
      </label>
    </>
  );
}

/** Where the share of each token begins, if all lie side by side. */
function beginsOf(probabilities: Float32Array): Float64Array {
  const begins = new Float64Array(probabilities.length);
  for (let i = 1; i < begins.length; i++) begins[i] = (begins[i - 1] ?? 0) + (probabilities[i - 1] ?? 0);
  return begins;
}

interface Bar {
  readonly token: number;
  readonly probability: number;
}

/** The likeliest tokens that may be drawn, and the one that is. */
function likeliest(bars: readonly Bar[], drawn: number): Bar[] {
  const sorted = bars
    .filter(({ probability }) => probability > 0)
    .sort((a, b) => b.probability - a.probability || a.token - b.token);
  const shown = sorted.slice(0, MOST);
  const own = bars[drawn];
  return !own || shown.includes(own) ? shown : [...shown.slice(0, MOST - 1), own];
}
