import { type Signal, useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { ModelConfig } from "../../src/gpt/model/config";
import type { Part } from "../../src/gpt/model/layout";
import { parameterLayout } from "../../src/gpt/model/parameters";
import { HeatMap } from "./heat-map";
import { LayerChoice } from "./layer-choice";
import { drawnWeights } from "../workbench/shape";

/** Maximum width of a matrix in pixels, if its squares are that small. */
const WIDTH = 256;
const LARGEST_CELL = 8;
/** Maximum size of a matrix that is drawn several times per second. */
const MAX_NUMBERS = 1 << 20;

/** The purpose of a matrix, by the last part of its tensor name. */
const PURPOSES: Readonly<Record<string, string>> = {
  wte: "a row for each character",
  wpe: "a row for each position",
  wq: "what a letter looks for",
  wk: "what it is found by",
  wv: "what it hands on",
  wo: "joins the heads",
  w1: "to a wider layer",
  w2: "and back from it",
  wout: "a column for each logit",
  bias: "how far a head looks back",
};

interface Props {
  readonly weights: Float32Array;
  readonly config: ModelConfig;
  readonly seed: number;
  readonly layer: Signal<number>;
}

/** Heat maps of all parameters. */
export function Weights({ weights, config, seed, layer }: Props) {
  const isChange = useSignal(false);
  const drawn = useMemo(() => drawnWeights(config, seed, weights.length), [config, seed, weights.length]);
  const shown = isChange.value ? weights.map((weight, i) => weight - (drawn[i] ?? 0)) : weights;
  const parts = partsOf(config, layer.value);
  const scale = scaleOf(shown);
  const widest = parts.reduce((most, { columns }) => Math.max(most, columns), 1);
  const cell = Math.max(1, Math.min(LARGEST_CELL, Math.floor(WIDTH / widest)));
  return (
    <section class="card" aria-label="The weights">
      <h2>Its numbers</h2>
      <p class="muted">
        {isChange.value
          ? `How far training has moved the numbers that seed ${seed} drew, a small square for each: not at all before the first step, and the stronger a colour, the farther.`
          : `All ${weights.length.toLocaleString("en")} numbers of the model, a small square for each: most begin as noise, and every step of training shifts many of them a little.`}
      </p>
      <div class="row">
        <label class="inline">
          <input
            type="checkbox"
            name="change"
            checked={isChange.value}
            onChange={({ currentTarget }) => (isChange.value = currentTarget.checked)}
          />
          <span>how they have changed since the start</span>
        </label>
        <LayerChoice count={config.nLayer} layer={layer} name="weights-layer" />
      </div>
      <p class="scale">
        <span>{`−${scale} and less`}</span>
        <span class="gradient" />
        <span>{`${scale} and more`}</span>
      </p>
      <div class="matrices">
        {parts.map(({ name, offset, rows, columns }) => (
          <figure key={name} style={{ width: `max(6rem, ${columns * cell}px)` }}>
            <figcaption>
              <strong>{name}</strong> {rows}×{columns}
              <br />
              <small>{PURPOSES[name]}</small>
            </figcaption>
            {rows * columns <= MAX_NUMBERS ? (
              <HeatMap
                values={shown.subarray(offset, offset + rows * columns)}
                rows={rows}
                columns={columns}
                scale={scale}
                cell={cell}
                label={`${name}: ${rows} times ${columns} numbers`}
              />
            ) : (
              <p class="muted">Too large to be drawn.</p>
            )}
          </figure>
        ))}
      </div>
    </section>
  );
}

/** The matrices shared by all layers, and those of one layer. */
function partsOf(config: ModelConfig, layer: number): Part[] {
  const own = `layers.${Math.min(layer, config.nLayer - 1)}.`;
  return parameterLayout(config).parts.flatMap((part) => {
    if (part.name.startsWith(own)) return [{ ...part, name: part.name.slice(own.length) }];
    return part.name.startsWith("layers.") ? [] : [part];
  });
}

/** Three times the mean absolute value, rounded so that it seldom changes. */
function scaleOf(values: Float32Array): number {
  let squares = 0;
  for (const value of values) squares += value * value;
  const wanted = 3 * Math.sqrt(squares / values.length);
  for (let power = 0.1; power < 1e6; power *= 10)
    for (const digit of [1, 2, 5]) if (digit * power >= wanted) return Number((digit * power).toPrecision(1));
  return 1e6;
}
