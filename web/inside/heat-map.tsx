import { useEffect, useRef } from "preact/hooks";
import { colourChanges, SHADES, shadesOf } from "./colours";

interface Props {
  /** Row by row. */
  readonly values: Float32Array;
  readonly rows: number;
  readonly columns: number;
  /** The value that has the full colour, and its negative. */
  readonly scale: number;
  /** Pixels of a square. */
  readonly cell: number;
  readonly label: string;
}

/** A matrix: a square for each number. */
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
    const along = Math.max(-1, Math.min(1, values[i] / scale));
    // What is no number stays empty.
    pixels[i] = shades[Math.round(middle + middle * along)] ?? 0;
  }
}
