import type uPlot from "uplot";

/** The colours of a chart in effect at an element, by the names of custom properties. */
export function coloursAt(element: HTMLElement): (name: string) => string {
  const style = getComputedStyle(element);
  return (name) => style.getPropertyValue(name).trim();
}

/** What the axes of all charts look like. */
export function axisStyle(colour: (name: string) => string) {
  return {
    stroke: colour("--muted"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { stroke: colour("--line"), width: 1 },
    font: "12px system-ui, sans-serif",
  } satisfies uPlot.Axis;
}
