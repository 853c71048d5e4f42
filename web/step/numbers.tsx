import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { type Cell, cellAfter } from "../components/cells";
import { colourChanges, SHADES, shadesOf } from "../model-map/colours";

/** Columns of a row of numbers that are shown as text. */
const MAX_TEXT = 64;

/** A number, with all its digits for programs. */
export function Num({ value, id, digits }: { readonly value: number; readonly id?: string; readonly digits?: number }) {
  return (
    <data {...(id !== undefined && { id })} value={String(value)}>
      {format(value, digits)}
    </data>
  );
}

/** Some digits behind the point, or an exponent where they would hide the number. */
export function format(value: number, digits = 4): string {
  const size = Math.abs(value);
  if (size === 0) return "0";
  const isOdd = size >= 1e5 || (digits > 2 && size < 10 ** (1 - digits));
  return (isOdd ? value.toExponential(2) : value.toFixed(digits)).replaceAll("-", "−");
}

export interface Row {
  readonly name: string;
  readonly values: ArrayLike<number>;
}

interface Props {
  readonly rows: readonly Row[];
  readonly label: string;
  /** What a column is. */
  readonly unit?: string;
  /** What is said of a square, by default its place and number. */
  readonly reading?: (cell: Cell) => ComponentChildren;
  /** The square that is framed at first, and what a click on one does. */
  readonly chosen?: Cell;
  readonly choose?: (cell: Cell) => void;
  /** Whether the rows are those of a matrix: low, without names and without text. */
  readonly isMatrix?: boolean;
}

/** Rows of numbers as squares, which the pointer and the arrow keys read. */
export function Heat({ rows, label, unit = "column", reading, chosen, choose, isMatrix = false }: Props) {
  const touched = useSignal<Cell | undefined>(undefined);
  const isOpen = useSignal(false);
  const columns = rows[0]?.values.length ?? 0;
  const within = (row: number, column: number): Cell => ({
    row: Math.max(0, Math.min(row, rows.length - 1)),
    column: Math.max(0, Math.min(column, columns - 1)),
  });
  const cell = within(touched.value?.row ?? chosen?.row ?? 0, touched.value?.column ?? chosen?.column ?? 0);
  const at = (event: MouseEvent & { readonly currentTarget: HTMLElement }): Cell => {
    const { left, top, width, height } = event.currentTarget.getBoundingClientRect();
    return within(
      Math.floor(((event.clientY - top) / height) * rows.length),
      Math.floor(((event.clientX - left) / width) * columns),
    );
  };
  const follow = (event: KeyboardEvent): void => {
    const to = cellAfter(event.key, cell, within);
    if (to) touched.value = to;
    else if (choose && (event.key === "Enter" || event.key === " ")) choose(cell);
    else return;
    // The walk has these keys too.
    event.preventDefault();
  };
  const value = rows[cell.row]?.values[cell.column] ?? NaN;
  return (
    <div class={isMatrix ? "heat-rows matrix" : "heat-rows"}>
      <div class="squares">
        {!isMatrix && (
          <div class="names" aria-hidden="true">
            {rows.map(({ name }, i) => (
              <span key={i}>{name}</span>
            ))}
          </div>
        )}
        <div
          class="field-of-squares"
          role="img"
          aria-label={`${label}: arrow keys go from square to square`}
          tabIndex={0}
          style={{ height: `${rows.length * (isMatrix ? 0.55 : 1.4)}rem`, maxWidth: `${columns * 1.6}rem` }}
          onPointerMove={(event) => (touched.value = at(event))}
          onClick={(event) => choose?.(at(event))}
          onKeyDown={follow}
        >
          <Squares rows={rows} columns={columns} />
          <span
            class="frame"
            style={{
              left: `${(100 * cell.column) / columns}%`,
              top: `${(100 * cell.row) / rows.length}%`,
              width: `${100 / columns}%`,
              height: `${100 / rows.length}%`,
            }}
          />
        </div>
      </div>
      <p class="reading" aria-live="polite">
        {reading?.(cell) ?? (
          <>
            {rows[cell.row]?.name}, {unit} {cell.column}: <Num value={value} />
          </>
        )}
      </p>
      {!isMatrix && (
        <details onToggle={({ currentTarget }) => (isOpen.value = currentTarget.open)}>
          <summary>As numbers{columns > MAX_TEXT && `, the first ${MAX_TEXT}`}</summary>
          {isOpen.value && <Text rows={rows} label={label} />}
        </details>
      )}
    </div>
  );
}

function Text({ rows, label }: { readonly rows: readonly Row[]; readonly label: string }) {
  return (
    <div class="wide" tabIndex={0} role="group" aria-label={`${label}, as numbers`}>
      <table class="text">
        <tbody>
          {rows.map(({ name, values }, i) => (
            <tr key={i}>
              <th scope="row">{name}</th>
              {Array.from({ length: Math.min(values.length, MAX_TEXT) }, (_, j) => (
                <td key={j}>
                  <Num value={values[j] ?? NaN} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Squares({ rows, columns }: { readonly rows: readonly Row[]; readonly columns: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const changes = colourChanges.value;
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!canvas.current || !context || columns === 0) return;
    const shades = shadesOf(canvas.current);
    const middle = (SHADES - 1) / 2;
    const image = context.createImageData(columns, rows.length);
    const pixels = new Uint32Array(image.data.buffer);
    const scale = largestOf(rows) || 1;
    rows.forEach(({ values }, row) => {
      for (let i = 0; i < columns; i++)
        pixels[row * columns + i] = shades[Math.round(middle + (middle * (values[i] ?? NaN)) / scale)] ?? 0;
    });
    context.putImageData(image, 0, 0);
  }, [rows, columns, changes]);
  return <canvas ref={canvas} width={columns} height={rows.length} />;
}

function largestOf(rows: readonly Row[]): number {
  let largest = 0;
  for (const { values } of rows)
    for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i] ?? 0));
  return largest;
}

/** A bar beside a number; `share` from 0 to 1. */
export function Bar({ share }: { readonly share: number }) {
  return <span class="share" style={{ width: `calc(${Math.max(0, Math.min(1, share))} * (100% - 4.6rem))` }} />;
}
