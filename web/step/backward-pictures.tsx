import type { AdamRecord, FlowStage, MatrixRecord, StepRecording } from "../worker/step-recording";
import { Bar, format, Heat, Num } from "./numbers";
import { rowOf, type View, type Weight } from "./view";

/* The pictures of the backward pass and of the update. */

/** What the gradient of a place is of. */
const PLACES: Readonly<Record<FlowStage, string>> = {
  logits: "logits",
  output: "x after the MLP",
  hidden: "units of the MLP",
  middle: "x after attention",
  attention: "mixes of the heads",
  q: "queries",
  k: "keys",
  v: "values",
  embedding: "embeddings",
};

export function Gradients({ recording, document, layer }: View) {
  const places = document.flow.filter((place) => place.layer === undefined || place.layer === layer);
  const matrices = recording.adam.matrices.filter(({ name }) => isShown(name, layer));
  const most = Math.max(...matrices.map(({ gradientNorm }) => gradientNorm));
  const { documentCount } = recording;
  return (
    <>
      <p>
        A <strong>gradient</strong> says for each number how the loss would change if the number grew a little. It is
        computed backwards, from the logits to the embeddings, through the same parts. Stronger squares are numbers that
        matter more at that position.
      </p>
      <p class="formula">∂loss/∂logit = (p − 1 for what came, p for the others) / {weightName(recording)}</p>
      <div class="beside">
        <Heat
          label="Size of the gradients by place and position"
          unit="position"
          rows={places.map(({ stage, norms }) => ({ name: PLACES[stage], values: norms }))}
        />
        <table class="norms">
          <caption>
            The gradients of the weights{documentCount > 1 && `, summed over all ${documentCount} words`}: the length of
            each matrix's gradient
          </caption>
          <tbody>
            {matrices.map(({ name, rows, columns, gradientNorm }) => (
              <tr key={name}>
                <th scope="row">
                  {name.replace(/^layers\.\d+\./, "")} <small>{`${rows}×${columns}`}</small>
                </th>
                <td>
                  <Bar share={gradientNorm / most} />
                  <Num value={gradientNorm} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function isShown(name: string, layer: number): boolean {
  return !name.startsWith("layers.") || name.startsWith(`layers.${layer}.`);
}

function weightName({ weighs, documentCount }: StepRecording): string {
  if (weighs === "tokens") return "letters of a step, on average";
  return documentCount > 1 ? `(letters · ${documentCount} words)` : "letters";
}

export function Adam(view: View) {
  const { recording, chooseWeight } = view;
  const { adam } = recording;
  const chosen = weightOf(view);
  const matrix = adam.matrices.find(({ name }) => name === chosen?.matrix);
  if (!chosen || !matrix) return <p class="muted">The matrices of this model are too large to be shown.</p>;
  const { row, column } = chosen;
  return (
    <>
      <p>
        <strong>Adam</strong> changes every weight by its gradient g. It keeps two running means: m of g, so that steps
        in the same direction add up, and v of g², so that a weight with large gradients does not jump.
      </p>
      <div class="choices">
        <label class="choice">
          <span>Matrix</span>
          <select
            name="matrix"
            value={matrix.name}
            onChange={({ currentTarget }) => chooseWeight({ matrix: currentTarget.value, row: 0, column: 0 })}
          >
            {adam.matrices
              .filter(({ kept }) => kept > 0)
              .map(({ name }) => (
                <option key={name}>{name}</option>
              ))}
          </select>
        </label>
        <Index name="row" value={row} count={matrix.kept} take={(row) => chooseWeight({ ...chosen, row })} />
        <Index
          name="column"
          value={column}
          count={matrix.columns}
          take={(column) => chooseWeight({ ...chosen, column })}
        />
      </div>
      <div class="beside adam">
        <Arithmetic
          adam={adam}
          matrix={matrix}
          at={row * matrix.columns + column}
          isInteger={recording.shape.dtype === "i32"}
        />
        <div>
          <p class="muted">
            The gradients of {matrix.name}
            {matrix.kept < matrix.rows && `, its first ${matrix.kept} of ${matrix.rows} rows`}: click on a square, or
            press Enter, to choose its weight.
          </p>
          <Heat
            key={`${matrix.name} ${row} ${column}`}
            label={`Gradients of ${matrix.name}`}
            rows={Array.from({ length: matrix.kept }, (_, i) => ({
              name: `row ${i}`,
              values: rowOf(matrix.g, i, matrix.columns),
            }))}
            chosen={{ row, column }}
            choose={(cell) => chooseWeight({ matrix: matrix.name, ...cell })}
            isMatrix
          />
        </div>
      </div>
    </>
  );
}

interface IndexProps {
  readonly name: string;
  readonly value: number;
  readonly count: number;
  readonly take: (value: number) => void;
}

function Index({ name, value, count, take }: IndexProps) {
  return (
    <label class="choice">
      <span>{name}</span>
      <input
        type="number"
        name={name}
        min={0}
        max={count - 1}
        value={value}
        onChange={({ currentTarget }) =>
          take(Math.max(0, Math.min(Math.round(Number(currentTarget.value)) || 0, count - 1)))
        }
      />
    </label>
  );
}

/** The chosen weight if it is kept, or that with the largest gradient. */
function weightOf({ recording, weight }: View): Weight | undefined {
  const matrices = recording.adam.matrices.filter(({ kept }) => kept > 0);
  const own = matrices.find(({ name }) => name === weight?.matrix);
  if (weight && own && weight.row < own.kept && weight.column < own.columns) return weight;
  let [best, largest]: [Weight | undefined, number] = [undefined, -1];
  for (const { name, g, columns } of matrices)
    g.forEach((gradient: number, i: number) => {
      if (!(Math.abs(gradient) > largest)) return;
      largest = Math.abs(gradient);
      best = { matrix: name, row: Math.floor(i / columns), column: i % columns };
    });
  return best;
}

interface ArithmeticProps {
  readonly adam: AdamRecord;
  readonly matrix: MatrixRecord;
  /** Index of the weight in the matrix. */
  readonly at: number;
  readonly isInteger: boolean;
}

/** The update of a weight, with the numbers put in. */
function Arithmetic({ adam, matrix, at, isInteger }: ArithmeticProps) {
  const { beta1, beta2, epsilon, t, learningRate } = adam;
  const of = (numbers: ArrayLike<number>): number => numbers[at] ?? NaN;
  const [g, mBefore, vBefore, wBefore] = [of(matrix.g), of(matrix.mBefore), of(matrix.vBefore), of(matrix.wBefore)];
  const [m, v, w] = [of(matrix.m), of(matrix.v), of(matrix.w)];
  const mHat = m / (1 - beta1 ** t);
  const vHat = v / (1 - beta2 ** t);
  return (
    <div>
      <dl class="arithmetic">
        <dt>gradient</dt>
        <dd>
          g = <Num id="adam-g" value={g} digits={6} />
        </dd>
        <dt>mean of g</dt>
        <dd>
          m = <Num id="adam-beta1" value={beta1} digits={2} /> · <Num id="adam-m-before" value={mBefore} digits={6} /> +{" "}
          {format(1 - beta1, 2)} · {format(g, 6)} = <Num id="adam-m" value={m} digits={6} />
        </dd>
        <dt>mean of g²</dt>
        <dd>
          v = <Num id="adam-beta2" value={beta2} digits={2} /> · <Num id="adam-v-before" value={vBefore} digits={6} /> +{" "}
          {format(1 - beta2, 2)} · {format(g * g, 6)} = <Num id="adam-v" value={v} digits={6} />
        </dd>
        <dt>
          corrected, in update <Num id="adam-t" value={t} digits={0} />
        </dt>
        <dd>
          m̂ = m / (1 − {format(beta1, 2)}
          <sup>{t}</sup>) = <Num id="adam-m-hat" value={mHat} digits={6} />
          <br />
          v̂ = v / (1 − {format(beta2, 2)}
          <sup>{t}</sup>) = <Num id="adam-v-hat" value={vHat} digits={6} />
        </dd>
        <dt>learning rate</dt>
        <dd>
          α = <Num id="adam-rate" value={learningRate} digits={6} />, ε ={" "}
          <Num id="adam-epsilon" value={epsilon} digits={6} />
        </dd>
        <dt>new weight</dt>
        <dd>
          w = <Num id="adam-w-before" value={wBefore} digits={6} /> − α · m̂ / (√v̂ + ε)
          <br />= {format(wBefore, 6)} − {format(learningRate, 6)} · {format(mHat, 6)} / (√{format(vHat, 6)} +{" "}
          {format(epsilon, 6)})
          <br />={" "}
          <strong>
            <Num id="adam-w" value={w} digits={6} />
          </strong>
          , a change of <Num id="adam-change" value={w - wBefore} digits={6} />
        </dd>
      </dl>
      {isInteger && (
        <p class="muted">
          This training computes in integers (i32), so m, v and w are rounded: the formula gives nearly these numbers.
        </p>
      )}
    </div>
  );
}

export function Again({ recording, document, characters }: View) {
  const { tokens, losses, lossesAfter, loss, lossAfter, kept, rows } = document;
  const most = Math.max(...losses, ...lossesAfter);
  const isBetter = lossAfter < loss;
  return (
    <>
      <p>
        The same word again, with the new weights: its loss was <Num value={loss} id="loss-before" /> and is now{" "}
        <strong class={isBetter ? "good" : "bad"}>
          <Num value={lossAfter} id="loss-after" />
        </strong>
        .{" "}
        {!Number.isFinite(lossAfter) &&
          "The new weights are too large: a lower learning rate would keep them in range. "}
        {isBetter
          ? "One step has made this word a little less surprising."
          : "This step did not help this word: it was too large, or older gradients and other words pulled elsewhere."}
        {recording.documentCount > 1 && ` The step served ${recording.documentCount} words at once.`}
      </p>
      <div class="wide" tabIndex={0} role="group" aria-label="Losses before and after">
        <table class="again">
          <thead>
            <tr>
              <th scope="col">letter</th>
              <th scope="col">loss before</th>
              <th scope="col">loss now</th>
              <th scope="col">change</th>
            </tr>
          </thead>
          <tbody>
            {Array.from(losses.subarray(0, kept), (before, t) => {
              const now = lossesAfter[t] ?? NaN;
              return (
                <tr key={t}>
                  <th scope="row">
                    <bdi>{characters.symbolOf(tokens[t] ?? 0)}</bdi> →{" "}
                    <bdi>{characters.nextOf(tokens[t + 1] ?? 0)}</bdi>
                  </th>
                  <td>
                    <Bar share={before / most} />
                    <Num value={before} />
                  </td>
                  <td>
                    <Bar share={now / most} />
                    <Num value={now} />
                  </td>
                  <td class={now < before ? "good" : "bad"}>
                    {now > before && "+"}
                    <Num value={now - before} />
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      {rows > kept && (
        <p class="muted">
          These are the first {kept} of {rows} letters; the loss is the mean of all.
        </p>
      )}
    </>
  );
}
