import { useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { ModelConfig } from "../../src/gpt/model/config";
import { Diagram, type Stage } from "./diagram";
import { HeatMap } from "./heat-map";
import { compactPlan, planOf } from "./plan";
import { PURPOSES, type Square } from "./squares";
import "./model-map.css";

export type { Stage } from "./diagram";

/** Maximum size of a matrix that is drawn several times per second. */
const MAX_NUMBERS = 1 << 20;

/** The drawing alone, as large as its place. */
export interface CompactProps {
  readonly compact: true;
  /** The part to emphasise. */
  readonly stage?: Stage | undefined;
  readonly layer?: number;
  /** Number of layers. */
  readonly layers?: number;
}

/** The drawing with the weights at their places. */
export interface FullProps {
  readonly compact?: false;
  readonly stage?: Stage | undefined;
  readonly layer: number;
  readonly config: ModelConfig;
  readonly weights: Float32Array;
  /** If it is given, the pictures show how far the weights are from these. */
  readonly start: Float32Array | undefined;
  /** The absolute value that gets the full colour. */
  readonly scale: number;
  readonly touched: Square | undefined;
  readonly pinned: Square | undefined;
  readonly touch: (square: Square | undefined, isByKey: boolean) => void;
  readonly pin: (square: Square) => void;
}

/** The model as a map: what it consists of, and how its numbers flow. */
export function ModelMap(props: CompactProps | FullProps) {
  return props.compact ? <CompactMap {...props} /> : <FullMap {...props} />;
}

function CompactMap({ stage, layer = 0, layers = layer + 1 }: CompactProps) {
  const plan = useMemo(compactPlan, []);
  return (
    <div class="model-map compact">
      <Diagram plan={plan} layer={layer} layers={layers} stage={stage} />
    </div>
  );
}

function FullMap(props: FullProps) {
  const { stage, layer, config, weights, start, scale, touched, pinned, touch, pin } = props;
  const place = useRef<HTMLDivElement>(null);
  const width = useSignal(0);
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const resizing = new ResizeObserver(() => (width.value = element.clientWidth));
    resizing.observe(element);
    return () => resizing.disconnect();
  }, [width]);
  const plan = useMemo(() => planOf(config, layer, width.value), [config, layer, width.value]);
  return (
    <div class="model-map" ref={place}>
      {width.value > 0 && (
        <div class="drawing" style={{ width: `${plan.width}px`, height: `${plan.height}px` }}>
          <Diagram plan={plan} layer={layer} layers={config.nLayer} stage={stage} />
          {plan.matrices.map(({ name, block, offset, rows, columns, slot, picture }) => {
            const end = offset + rows * columns;
            const cellOf = (square: Square | undefined): Square | undefined =>
              square?.name === name && square.index >= offset && square.index < end ? square : undefined;
            const squareOf = (row: number, column: number): Square => ({
              name,
              layer: config.nLayer > 1 && (block === "attention" || block === "mlp") ? layer : undefined,
              row,
              column,
              index: offset + row * columns + column,
            });
            return (
              <figure
                key={name}
                data-matrix={name}
                style={{ left: `${slot.x}px`, top: `${slot.y}px`, width: `${slot.width}px` }}
              >
                <figcaption>
                  <strong>{name}</strong> {rows}×{columns}
                  <br />
                  <small>{PURPOSES[name]}</small>
                </figcaption>
                {rows * columns <= MAX_NUMBERS ? (
                  <HeatMap
                    weights={weights}
                    offset={offset}
                    start={start}
                    rows={rows}
                    columns={columns}
                    scale={scale}
                    picture={picture}
                    label={`${name}, ${rows} rows and ${columns} columns: ${PURPOSES[name] ?? ""}`}
                    touched={cellOf(touched)}
                    pinned={cellOf(pinned)}
                    touch={(at, isByKey) => touch(at && squareOf(at.row, at.column), isByKey)}
                    pin={({ row, column }) => pin(squareOf(row, column))}
                  />
                ) : (
                  <p class="muted">Too large to be drawn.</p>
                )}
              </figure>
            );
          })}
        </div>
      )}
    </div>
  );
}
