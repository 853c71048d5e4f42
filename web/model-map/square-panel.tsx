import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import type { WeightCurve, WeightReading, WeightUpdate } from "../worker/messages";
import { distinctNumbers, matrixOf, meaningOf, type Names, shortNumber, type Square } from "./squares";
import { WeightChart } from "./weight-chart";

interface Props {
  readonly names: Names;
  /** The square under the pointer or the keyboard, and the pinned one. */
  readonly touched: Square | undefined;
  readonly pinned: Square | undefined;
  /** Whether the touched one was chosen by the keyboard: then it is announced. */
  readonly isByKey: boolean;
  readonly weights: Float32Array;
  /** What the worker has said of squares so far, by index. */
  readonly readings: ReadonlyMap<number, WeightReading>;
  /** Of the pinned square. */
  readonly curve: WeightCurve | undefined;
  /** Number of steps of the training. */
  readonly steps: number;
  readonly unpin: () => void;
}

/** What there is to say about a square, and the curve of the pinned one. */
export function SquarePanel(props: Props) {
  const { names, touched, pinned, isByKey, weights, readings, curve, steps, unpin } = props;
  const square = touched ?? pinned;
  const reading = square && readings.get(square.index);
  const said = useSignal("");
  const sayNext = useRef<number>(undefined);
  useEffect(() => void (sayNext.current = isByKey ? touched?.index : undefined), [touched, isByKey]);
  useEffect(() => {
    if (!touched || !reading || sayNext.current !== touched.index) return;
    sayNext.current = undefined;
    said.value = sentenceOf(touched, reading, names);
  }, [touched, reading, names, said]);
  return (
    <div class="square-panel">
      <p class="hidden" aria-live="polite">
        {said}
      </p>
      {square ? (
        <Reading square={square} value={weights[square.index] ?? NaN} reading={reading} names={names} />
      ) : (
        <>
          <p class="muted">
            Point at a square, or go to a matrix with Tab and from square to square with the arrow keys: here you see
            its number and what the last step did to it. A click or Enter pins a square and draws its curve.
          </p>
          <p class="muted gloss">
            Each step moves each number against its gradient, the direction in which the loss grows. The formula for how
            far is called Adam.
          </p>
        </>
      )}
      {pinned && (
        <div class="pin">
          <div class="row">
            <strong>
              {touched && touched.index !== pinned.index ? `Pinned: ${titleOf(pinned, names)}` : "Pinned"}
            </strong>
            <button type="button" onClick={unpin}>
              Remove the pin
            </button>
          </div>
          {curve && <WeightChart curve={curve} now={readings.get(pinned.index)} steps={steps} />}
        </div>
      )}
    </div>
  );
}

function titleOf(square: Square, names: Names): string {
  return `${matrixOf(square)}, ${meaningOf(square, names).join(", ")}`;
}

function sentenceOf(square: Square, { value, update }: WeightReading, names: Names): string {
  const more = update
    ? `, gradient ${shortNumber(update.gradient)}, last change ${shortNumber(value - update.before)}`
    : "";
  return `${titleOf(square, names)}: ${shortNumber(value)}${more}`;
}

interface ReadingProps {
  readonly square: Square;
  /** Of the last picture, until there is a reading. */
  readonly value: number;
  readonly reading: WeightReading | undefined;
  readonly names: Names;
}

function Reading({ square, value, reading, names }: ReadingProps) {
  const [row, column] = meaningOf(square, names);
  const shown = reading?.value ?? value;
  const update = reading?.update;
  return (
    <div class="square-reading">
      <p>
        <strong>{matrixOf(square)}</strong>, row {square.row}: <bdi class="meaning">{row}</bdi>, column {square.column}:{" "}
        <bdi class="meaning">{column}</bdi>
      </p>
      <dl>
        <Fact name="value" value={shown} />
        <Fact name="gradient" value={update?.gradient} />
        <Fact name="last change" value={update && shown - update.before} />
      </dl>
      {update ? (
        <Formula value={shown} update={update} />
      ) : (
        <p class="muted">
          {reading ? "The next step computes its gradient, and shows the formula that moves it." : "…"}
        </p>
      )}
    </div>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: number | undefined }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value === undefined ? "–" : <data value={value}>{shortNumber(value)}</data>}</dd>
    </div>
  );
}

/** Adam's formula, in words and in numbers. */
function Formula({ value, update }: { readonly value: number; readonly update: WeightUpdate }) {
  const { before, correctedM, correctedV, learningRate, epsilon, weightStep, gradient } = update;
  if (Number.isNaN(gradient))
    return <p class="muted">The model is too large to keep what its last step did to each weight.</p>;
  const [now, old] = distinctNumbers(value, before);
  const inBrackets = (text: string): string => (text.startsWith("−") ? `(${text})` : text);
  return (
    <>
      <p class="formula">
        new {weightStep > 0 ? "≈" : "="} old − rate × m̂ ÷ {epsilon > 0 ? "(√v̂ + ε)" : "√v̂"}
        <br />
        <data value={value}>{now}</data> {weightStep > 0 ? "≈" : "="} <data value={before}>{old}</data> −{" "}
        <data value={learningRate}>{shortNumber(learningRate)}</data> ×{" "}
        <data value={correctedM}>{inBrackets(shortNumber(correctedM))}</data> ÷ {epsilon > 0 && "("}√
        <data value={correctedV}>{shortNumber(correctedV)}</data>
        {epsilon > 0 && ` + ${shortNumber(epsilon)})`}
      </p>
      <p class="muted gloss">
        m̂: the mean of its last gradients. √v̂: their usual size. Rate: how far it goes if all of them agree.
        {weightStep > 0 && ` In integers a weight is a multiple of ${shortNumber(weightStep)}.`}
      </p>
    </>
  );
}
