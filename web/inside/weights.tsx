import { effect, type Signal, signal, useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { InputError } from "../../src/gpt/base/errors";
import type { ModelConfig } from "../../src/gpt/model/config";
import { ModelMap } from "../model-map/model-map";
import { SquarePanel } from "../model-map/square-panel";
import type { Names, Square } from "../model-map/squares";
import type { WeightCurve, WeightReading } from "../worker/messages";
import type { Run } from "../workbench/run";
import type { Characters } from "./characters";
import { LayerChoice } from "./layer-choice";
import { Refresher } from "./refresher";

/** Minimum interval between two looks at single weights, in milliseconds. */
const PERIOD = 100;
/** Numbers of a large model that decide the scale. */
const SCALE_SAMPLE = 1 << 16;

/** The pinned square, valid for one shape; it survives a change of pane and another training. */
const pin = signal<{ readonly shape: string; readonly square: Square } | undefined>(undefined);

interface Touched {
  readonly square: Square;
  readonly isByKey: boolean;
}

interface Props {
  readonly run: Run;
  readonly weights: Float32Array;
  readonly config: ModelConfig;
  readonly characters: Characters;
  readonly layer: Signal<number>;
}

/** All parameters, at their places in a drawing of the model. */
export function Weights({ run, weights, config, characters, layer }: Props) {
  const isChange = useSignal(false);
  const touched = useSignal<Touched | undefined>(undefined);
  const drawn = useSignal<{ readonly run: Run; readonly weights: Float32Array } | undefined>(undefined);
  const shape = useMemo(() => JSON.stringify([config, run.ready.vocabulary]), [config, run]);
  const pinned = pin.value?.shape === shape ? pin.value.square : undefined;
  const names = useMemo<Names>(
    () => ({ config, nameOf: (token) => characters.nameOf(token), nextOf: (token) => characters.nextOf(token) }),
    [config, characters],
  );
  useEffect(() => {
    if (!isChange.value) return;
    const take = (weights: Float32Array): void => void (drawn.value = { run, weights });
    run.ask("drawnWeights").then(take, ignoreEnd);
  }, [run, isChange.value, drawn]);
  useEffect(() => void (touched.value = undefined), [run, touched]);
  const start = isChange.value && drawn.value?.run === run ? drawn.value.weights : undefined;
  const scale = scaleOf(weights, start);
  const { readings, curve } = useReadings(run, touched.value?.square, pinned);
  const shownLayer = Math.min(layer.value, config.nLayer - 1);
  return (
    <section class="card" aria-label="The weights">
      <h2>The model and its numbers</h2>
      <p class="muted">
        {isChange.value
          ? `How far training has moved the numbers that seed ${run.seed} drew: not at all before the first step, and the stronger a colour, the farther.`
          : `All ${weights.length.toLocaleString("en")} numbers, a square for each. They begin as noise, and each step shifts them a little. The thick line is the residual stream, to which each part adds.`}
      </p>
      <div class="row map-tools">
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
        <p class="scale">
          <span>{`−${scale} and less`}</span>
          <span class="gradient" />
          <span>{`${scale} and more`}</span>
        </p>
      </div>
      <ModelMap
        layer={shownLayer}
        config={config}
        weights={weights}
        start={start}
        scale={scale}
        touched={touched.value?.square}
        pinned={pinned}
        touch={(square, isByKey) => (touched.value = square && { square, isByKey })}
        pin={(square) => (pin.value = square.index === pinned?.index ? undefined : { shape, square })}
      />
      <SquarePanel
        names={names}
        touched={touched.value?.square}
        isByKey={touched.value?.isByKey ?? false}
        pinned={pinned}
        weights={weights}
        readings={readings}
        curve={curve}
        steps={run.ready.steps}
        unpin={() => (pin.value = undefined)}
      />
    </section>
  );
}

interface Readings {
  readonly run: Run;
  readonly readings: ReadonlyMap<number, WeightReading>;
  /** Of the pinned square. */
  readonly curve: WeightCurve | undefined;
}

/** Asks the worker for the squares that are looked at, while the training changes them. */
function useReadings(run: Run, touched: Square | undefined, pinned: Square | undefined): Readings {
  const nothing = useMemo<Readings>(() => ({ run, readings: new Map(), curve: undefined }), [run]);
  const seen = useSignal(nothing);
  const wanted = useSignal<readonly [touched: number | undefined, pinned: number | undefined]>([undefined, undefined]);
  useEffect(() => {
    const look = async (): Promise<void> => {
      const [touched, pinned] = wanted.value;
      const indices = [...new Set([touched, pinned])].filter((index) => index !== undefined);
      try {
        const [curve, ...readings] = await Promise.all([
          pinned === undefined ? undefined : run.ask("weightCurve", pinned),
          ...indices.map(async (index) => [index, await run.ask("weight", index)] as const),
        ]);
        seen.value = { run, readings: new Map(readings), curve };
      } catch (error) {
        ignoreEnd(error);
      }
    };
    const refresher = new Refresher(look, PERIOD);
    const stop = effect(() => {
      if (run.changes.value >= 0 && wanted.value.some((index) => index !== undefined)) refresher.ask();
    });
    return () => {
      stop();
      refresher.end();
    };
  }, [run, seen, wanted]);
  useEffect(() => void (wanted.value = [touched?.index, pinned?.index]), [touched?.index, pinned?.index, wanted]);
  return seen.value.run === run ? seen.value : nothing;
}

/** A training that is replaced by another answers no more. */
function ignoreEnd(error: unknown): void {
  if (!(error instanceof InputError)) throw error;
}

/** Three times the mean absolute value, rounded so that it seldom changes; of a large model, by a sample. */
function scaleOf(weights: Float32Array, start: Float32Array | undefined): number {
  const distance = Math.max(1, Math.floor(weights.length / SCALE_SAMPLE));
  let squares = 0;
  let count = 0;
  for (let i = 0; i < weights.length; i += distance, count++)
    squares += ((weights[i] ?? NaN) - (start ? (start[i] ?? NaN) : 0)) ** 2;
  const wanted = 3 * Math.sqrt(squares / count);
  for (let power = 0.1; power < 1e6; power *= 10)
    for (const digit of [1, 2, 5]) if (digit * power >= wanted) return Number((digit * power).toPrecision(1));
  return 1e6;
}
