import { signal } from "@preact/signals";

const darkness = matchMedia("(prefers-color-scheme: dark)");

/** Incremented when the colour scheme changes; canvases that depend on it redraw. */
export const colourChanges = signal(0);
darkness.addEventListener("change", () => void colourChanges.value++);

/** Number of shades from the most negative to the most positive value, as canvas pixels. */
export const SHADES = 255;

/** The shades in effect at an element: from --negative over --zero to --positive. */
export function shadesOf(element: Element): Uint32Array {
  const style = getComputedStyle(element);
  const colour = (name: string): number[] => (style.getPropertyValue(name).match(/[\d.]+/g) ?? []).map(Number);
  const [negative, zero, positive] = [colour("--negative"), colour("--zero"), colour("--positive")];
  const pixels = new Uint8ClampedArray(4 * SHADES);
  for (let i = 0; i < SHADES; i++) {
    const along = (2 * i) / (SHADES - 1) - 1;
    const end = along < 0 ? negative : positive;
    for (let c = 0; c < 3; c++) {
      const [from, to] = [zero[c] ?? 0, end[c] ?? 0];
      pixels[4 * i + c] = from + (to - from) * Math.abs(along);
    }
    pixels[4 * i + 3] = 255;
  }
  return new Uint32Array(pixels.buffer);
}
