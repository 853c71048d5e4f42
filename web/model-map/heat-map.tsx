import { useEffect, useRef } from "preact/hooks";
import { type Cell, cellAfter } from "../components/cells";
import { colourChanges, SHADES, shadesOf } from "./colours";

interface Props {
  /** The matrix is in row-major order, from `offset` on. */
  readonly weights: Float32Array;
  readonly offset: number;
  /** If it is given, it is subtracted from them. */
  readonly start: Float32Array | undefined;
  readonly rows: number;
  readonly columns: number;
  /** The absolute value that gets the full colour. */
  readonly scale: number;
  /** Size of the picture; if it has fewer pixels than squares it shows a sample of them. */
  readonly picture: { readonly width: number; readonly height: number };
  readonly label: string;
  readonly touched: Cell | undefined;
  readonly pinned: Cell | undefined;
  /** A square is pointed at, or chosen by the keyboard; undefined: none any more. */
  readonly touch: (cell: Cell | undefined, isByKey: boolean) => void;
  readonly pin: (cell: Cell) => void;
}

/** A matrix as a heat map, a square per number: one element to be focused, whose squares the arrow keys go through. */
export function HeatMap(props: Props) {
  const { weights, offset, start, rows, columns, scale, picture, label, touched, pinned, touch, pin } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const touchedMark = useRef<HTMLSpanElement>(null);
  const hasFocus = useRef(false);
  const last = useRef<Cell>({ row: 0, column: 0 });
  const changes = colourChanges.value;
  const shades = useRef<Uint32Array>(undefined);
  useEffect(() => void (shades.current = undefined), [changes]);
  const pixels = (count: number, room: number): number =>
    room < count ? Math.min(count, Math.ceil(room * devicePixelRatio)) : count;
  const [width, height] = [pixels(columns, picture.width), pixels(rows, picture.height)];
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!canvas.current || !context) return;
    shades.current ??= shadesOf(canvas.current);
    const image = context.createImageData(width, height);
    const colours = new Uint32Array(image.data.buffer);
    const middle = (SHADES - 1) / 2;
    for (let y = 0, to = 0; y < height; y++) {
      const row = offset + Math.floor(((y + 0.5) * rows) / height) * columns;
      for (let x = 0; x < width; x++, to++) {
        const from = row + Math.floor(((x + 0.5) * columns) / width);
        const value = (weights[from] ?? NaN) - (start ? (start[from] ?? NaN) : 0);
        const along = Math.max(-1, Math.min(1, value / scale));
        // NaN stays transparent.
        colours[to] = shades.current[Math.round(middle + middle * along)] ?? 0;
      }
    }
    context.putImageData(image, 0, 0);
  }, [weights, offset, start, rows, columns, width, height, scale, changes]);

  const within = (row: number, column: number): Cell => ({
    row: Math.max(0, Math.min(rows - 1, row)),
    column: Math.max(0, Math.min(columns - 1, column)),
  });
  const at = (event: MouseEvent & { readonly currentTarget: HTMLElement }): Cell => {
    const { left, top, width, height } = event.currentTarget.getBoundingClientRect();
    const part = (length: number, whole: number, count: number): number => Math.floor((length / whole) * count);
    return (last.current = within(part(event.clientY - top, height, rows), part(event.clientX - left, width, columns)));
  };
  // A square that the keys or a pin have chosen must not be behind the panel.
  const show = (): void =>
    void requestAnimationFrame(() => touchedMark.current?.scrollIntoView({ block: "nearest", inline: "nearest" }));
  const follow = (event: KeyboardEvent): void => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      pin(last.current);
      show();
      return;
    }
    const to = cellAfter(event.key, last.current, within);
    if (!to) return;
    event.preventDefault();
    last.current = to;
    touch(to, true);
    show();
  };
  const mark = (kind: string, { row, column }: Cell) => (
    <span
      ref={kind === "touched" ? touchedMark : null}
      class={`mark ${kind}`}
      style={{
        left: `${(100 * column) / columns}%`,
        top: `${(100 * row) / rows}%`,
        width: `${100 / columns}%`,
        height: `${100 / rows}%`,
      }}
    />
  );
  return (
    <div class="squares" style={{ width: `${picture.width}px`, height: `${picture.height}px` }}>
      <canvas
        class="heat"
        ref={canvas}
        width={width}
        height={height}
        // The arrow keys belong to it also while a screen reader is on.
        role="application"
        aria-roledescription="matrix"
        aria-label={label}
        tabIndex={0}
        onPointerMove={(event) => touch(at(event), false)}
        onPointerLeave={() => touch(hasFocus.current ? last.current : undefined, false)}
        onClick={(event) => {
          pin(at(event));
          show();
        }}
        onFocus={() => {
          hasFocus.current = true;
          last.current = within(last.current.row, last.current.column);
          touch(last.current, true);
        }}
        onBlur={() => {
          hasFocus.current = false;
          touch(undefined, false);
        }}
        onKeyDown={follow}
      />
      {pinned && mark("pinned", pinned)}
      {touched && mark("touched", touched)}
    </div>
  );
}
