import type { Signal } from "@preact/signals";

interface Props {
  readonly count: number;
  readonly layer: Signal<number>;
  readonly name: string;
}

/** Selects a layer, if there are several. */
export function LayerChoice({ count, layer, name }: Props) {
  if (count === 1) return null;
  return (
    <label class="inline">
      <span>Layer</span>
      <select
        name={name}
        value={Math.min(layer.value, count - 1)}
        onChange={({ currentTarget }) => (layer.value = Number(currentTarget.value))}
      >
        {Array.from({ length: count }, (_, i) => (
          <option key={i} value={i}>
            {i + 1} of {count}
          </option>
        ))}
      </select>
    </label>
  );
}
