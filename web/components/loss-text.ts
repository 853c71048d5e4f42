/** From here on a loss is shown with an exponent: that of a training that diverges has many digits. */
const LARGE = 1e5;

/** A loss with some decimals; "–" if there is none. */
export function lossText(loss: number | null | undefined, decimals: number): string {
  if (loss === undefined || loss === null) return "–";
  return loss < LARGE ? loss.toFixed(decimals) : loss.toExponential(1);
}
