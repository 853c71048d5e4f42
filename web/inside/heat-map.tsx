import { useEffect, useRef } from "preact/hooks";
import { colourChanges, SHADES, shadesOf } from "./colours";

interface Props {
  /** In row-major order. */
  readonly values: Float32Array;
  readonly rows: number;
  readonly columns: number;
  /** The absolute value that gets the full colour. */
  readonly scale: number;
  /** Size of a square, in pixels. */
  readonly cell: number;
  readonly label: string;
}

/** A matrix as a heat map: a square per number. */
export function HeatMap({ values, rows, columns, scale, cell, label }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const changes = colourChanges.value;
  const shades = useRef<Uint32Array>(undefined);
  useEffect(() => void (shades.current = undefined), [changes]);
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!canvas.current || !context) return;
    shades.current ??= shadesOf(canvas.current);
    const image = context.createImageData(columns, rows);
    paint(new Uint32Array(image.data.buffer), values, scale, shades.current);
    context.putImageData(image, 0, 0);
  }, [values, rows, columns, scale, changes]);
  return (
    <canvas
      class="heat"
      ref={canvas}
      width={columns}
      height={rows}
      style={{ width: `${columns * cell}px` }}
      role="img"
      aria-label={label}
    />
  );
}

function paint(pixels: Uint32Array, values: Float32Array, scale: number, shades: Uint32Array): void {
  const middle = (SHADES - 1) / 2;
  for (let i = 0; i < pixels.length; i++) {
    const along = Math.max(-1, Math.min(1, (values[i] ?? NaN) / scale));
    // NaN stays transparent.
    pixels[i] = shades[Math.round(middle + middle * along)] ?? 0;
  }
}
