/** A loss that no useful training exceeds, in nats, and as a multiple of that of the first step. */
const USEFUL = 8;
const USEFUL_MULTIPLE = 2.5;
/** The margin above and below the curve. */
const MARGIN = 0.05;

/**
 * The range of the loss axis, so that it stays readable when a training diverges.
 * @param low, high the lowest and the highest loss in view; null if there is none
 * @param first the loss of the first step
 * @param compared losses that are in view in any case
 */
export function lossRange(
  low: number | null,
  high: number | null,
  first: number | undefined,
  compared: readonly number[],
): [number, number] {
  const shown = [...compared];
  if (low !== null && high !== null && Number.isFinite(low)) {
    const most = Math.max(USEFUL, USEFUL_MULTIPLE * Math.min(first ?? 0, USEFUL));
    shown.push(low, low < most ? Math.min(high, most) : low);
  }
  if (shown.length === 0) return [0, 4];
  const [bottom, top] = [Math.min(...shown), Math.max(...shown)];
  const margin = Math.max(MARGIN, (top - bottom) * MARGIN);
  return [Math.max(0, bottom - margin), top + margin];
}
