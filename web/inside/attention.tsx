import { type Signal, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { Inspection } from "../worker/inspection";
import type { Cell } from "../components/cells";
import { AttentionMap } from "./attention-map";
import { type Characters, percent } from "./characters";
import { sharesOf } from "./evenness";
import { LayerChoice } from "./layer-choice";

interface Props {
  readonly inspection: Inspection;
  readonly position: number;
  readonly characters: Characters;
  readonly layer: Signal<number>;
  readonly choose: (position: number) => void;
  /** What is offered where attention is nearly even. */
  readonly offer: ComponentChildren;
}

/** The attention of each head. */
export function Attention({ inspection: { tokens, attention }, position, characters, layer, choose, offer }: Props) {
  const touched = useSignal<(Cell & { readonly head: number }) | undefined>(undefined);
  const heads = attention[Math.min(layer.value, attention.length - 1)] ?? [];
  const shares = sharesOf(heads, position);
  const seen = tokens.slice(0, position + 1);
  const { value: cell } = touched;
  const touchedRows = cell && heads[cell.head];
  const [from, to] = cell ? [tokens[cell.row], tokens[cell.column]] : [];
  return (
    <section class="card" aria-label="Attention">
      <h2>Where it looks</h2>
      <p class="muted">
        Each head shares its attention, 100% of it, among the letters so far, never those to come (causal attention).
        Untrained it looks at all of them almost alike; in training it may learn to look more at some than at others.
      </p>
      <LayerChoice count={attention.length} layer={layer} name="attention-layer" />
      <div class="wide" tabIndex={0} role="group" aria-label="Attention of the chosen letter">
        <table class="shares">
          <caption class="hidden">How the chosen letter shares its attention</caption>
          <thead>
            <tr>
              <th scope="col">looks at</th>
              {heads.map((_, head) => (
                <th key={head} scope="col">
                  head {head + 1}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {seen.map((token, i) => (
              <tr key={i}>
                <th scope="row" aria-label={characters.nameOf(token)}>
                  {characters.symbolOf(token)}
                </th>
                {heads.map((rows, head) => (
                  <td key={head}>
                    <span class="bar" style={{ width: `${100 * shareOf(rows, position, i)}%` }} />
                    {Math.round(100 * shareOf(rows, position, i))}%
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {shares && (
        <p class="evenness">
          {shares.isNearlyEven ? (
            <>
              <strong>Nearly even:</strong> all shares lie between {whole(shares.least)} and {whole(shares.most)}, and
              an even one would be {whole(shares.even)}. {offer}
            </>
          ) : (
            `From ${whole(shares.least)} to ${whole(shares.most)}, where an even share would be ${whole(shares.even)}.`
          )}
        </p>
      )}
      <h3>All letters of the word</h3>
      <p class="muted">
        A row for each letter, a column for each that it looks at. A medium colour is an even share, a stronger one
        more, a paler one less. The row of the chosen letter has a frame.
      </p>
      <div class="maps">
        {heads.map((rows, head) => (
          <figure key={head}>
            <figcaption>head {head + 1}</figcaption>
            <AttentionMap
              rows={rows}
              symbols={tokens.map((token) => characters.symbolOf(token))}
              position={position}
              label={`Head ${head + 1}: arrow keys go from square to square`}
              cell={cell?.head === head ? cell : undefined}
              touch={(cell) => (touched.value = { ...cell, head })}
              choose={choose}
            />
          </figure>
        ))}
      </div>
      <p class="reading" aria-live="polite">
        {touchedRows && from !== undefined && to !== undefined
          ? `Head ${cell.head + 1}: ${characters.nameOf(from)} looks at ` +
            `${characters.nameOf(to)}: ${percent(shareOf(touchedRows, cell.row, cell.column))}`
          : "Point at a square, or select it with Tab and the arrow keys, to see its share."}
      </p>
    </section>
  );
}

function whole(share: number): string {
  return `${Math.round(100 * share)}%`;
}

/** The attention that a row of a head pays to a column; NaN where there is none. */
function shareOf(rows: readonly ArrayLike<number>[], row: number, column: number): number {
  return rows[row]?.[column] ?? NaN;
}
