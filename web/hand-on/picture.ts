import type { CurvePoint } from "../../src/jobs/loss-curve";
import type { Run } from "../workbench/run";

/** Size of the picture in pixels: what networks show of a link. */
const [WIDTH, HEIGHT] = [1200, 630];
const MARGIN = 60;
/** The part of the width that the curve takes. */
const CURVE_WIDTH = 700;
const MOST_WORDS = 12;
const LONGEST_WORD = 24;
const FONT = "system-ui, sans-serif";

/** The curve of a training and the words that it writes, as a PNG file; undefined if the browser has no canvas. */
export async function drawPicture(run: Run): Promise<Uint8Array | undefined> {
  const canvas = document.createElement("canvas");
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  const context = canvas.getContext("2d");
  if (!context) return undefined;
  const style = getComputedStyle(document.documentElement);
  // light-dark() is resolved only in a property that takes a colour.
  const probe = document.body.appendChild(document.createElement("span"));
  const colour = (name: string): string => {
    probe.style.color = style.getPropertyValue(name);
    return getComputedStyle(probe).color;
  };
  const write = (text: string, x: number, y: number, size: number, name: string): void => {
    context.fillStyle = colour(name);
    context.font = `${size}px ${FONT}`;
    context.fillText(text, x, y);
  };
  context.fillStyle = colour("--card");
  context.fillRect(0, 0, WIDTH, HEIGHT);
  const { smoothed, points } = run.curve;
  const { steps, parameters } = run.ready;
  write("esp32gpt", MARGIN, 70, 40, "--text");
  const loss = smoothed === undefined ? "" : `, loss ${smoothed.toFixed(2)}`;
  const size = `${parameters.toLocaleString("en")} parameters`;
  write(`${size}, step ${run.stepsDone.value.toLocaleString("en")}${loss}`, MARGIN, 110, 24, "--muted");

  const box = { left: MARGIN, top: 150, width: CURVE_WIDTH, height: HEIGHT - 150 - MARGIN };
  drawCurve(context, points, steps, box, { line: colour("--line"), raw: colour("--raw"), smooth: colour("--accent") });
  write(`step 0 to ${steps.toLocaleString("en")}`, MARGIN, HEIGHT - 25, 20, "--muted");

  const words = (run.lastNames.value.length > 0 ? run.lastNames.value : run.words.value).filter(
    ({ name }) => name !== "",
  );
  const left = MARGIN + CURVE_WIDTH + 50;
  write("It writes:", left, 110, 24, "--muted");
  for (const [i, { name }] of words.slice(-MOST_WORDS).entries())
    write(Array.from(name).slice(0, LONGEST_WORD).join(""), left, 160 + 37 * i, 28, "--text");
  probe.remove();

  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
  return blob ? new Uint8Array(await blob.arrayBuffer()) : undefined;
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The losses on a fixed axis of steps, and of loss from 0 to the highest. */
function drawCurve(
  context: CanvasRenderingContext2D,
  points: readonly CurvePoint[],
  steps: number,
  { left, top, width, height }: Box,
  colours: { readonly line: string; readonly raw: string; readonly smooth: string },
): void {
  const finite = points.filter(({ loss }) => Number.isFinite(loss));
  const highest = finite.reduce((most, { loss }) => Math.max(most, loss), 1);
  const draw = (valueOf: (point: CurvePoint) => number, colour: string, lineWidth: number): void => {
    context.beginPath();
    for (const point of finite)
      context.lineTo(left + (width * point.step) / steps, top + height * (1 - valueOf(point) / highest));
    context.strokeStyle = colour;
    context.lineWidth = lineWidth;
    context.stroke();
  };
  context.strokeStyle = colours.line;
  context.strokeRect(left, top, width, height);
  draw(({ loss }) => loss, colours.raw, 1);
  draw(({ smoothed }) => smoothed, colours.smooth, 4);
}
