import type { Box, BlockName, Plan } from "./plan";

/** The part of a training step that the drawing emphasises. */
export type Stage = "tokens" | "embedding" | "attention" | "residual" | "mlp" | "logits" | "gradients" | "adam";

interface Props {
  readonly plan: Plan;
  readonly layer: number;
  /** Number of layers. */
  readonly layers: number;
  readonly stage: Stage | undefined;
}

const TITLES: Readonly<Record<BlockName, readonly [title: string, gloss: string]>> = {
  embedding: ["Embedding", "turns letters into numbers"],
  attention: ["Attention", "looks back at earlier letters"],
  mlp: ["MLP", "works on each letter alone"],
  logits: ["Logits", "a score for each letter"],
};

/** What is said of a stage. */
const STAGES: Readonly<Record<Stage, string>> = {
  tokens: "the letters",
  embedding: "the embedding",
  attention: "attention",
  residual: "the residual stream",
  mlp: "the MLP",
  logits: "the logits",
  gradients: "the gradients, which flow back",
  adam: "Adam, which moves all weights",
};

/** Outlines of further layers, at most. */
const MAX_OUTLINES = 2;

type Point = readonly [x: number, y: number];

/** The model as a drawing: letters become numbers, which flow along the residual stream through each layer. */
export function Diagram({ plan, layer, layers, stage }: Props) {
  const { width, height, blocks, letters, stream, isUpright, isCompact } = plan;
  const at = (along: number, across: number): Point => (isUpright ? [across, along] : [along, across]);
  const begin = (box: Box): number => (isUpright ? box.y : box.x);
  const end = (box: Box): number => (isUpright ? box.y + box.height : box.x + box.width);
  const near = (box: Box): number => (isUpright ? box.x : box.y);
  const inset = isCompact ? 14 : 24;
  const radius = isCompact ? 6 : 9;
  const { embedding, attention, mlp, logits } = blocks;
  const first = end(embedding) - inset;
  const last = begin(logits) + inset;
  const isOn = (...stages: Stage[]): string => (stage && stages.includes(stage) ? " on" : "");
  const middle = letters.x + letters.width / 2;
  const outlines = Math.min(layers - 1, MAX_OUTLINES);
  const step = isCompact ? 3 : 4;
  return (
    <svg
      class="diagram"
      viewBox={`0 0 ${width} ${height}`}
      width={isCompact ? undefined : width}
      height={isCompact ? undefined : height}
      role="img"
      aria-label={labelOf(layer, layers, stage)}
    >
      {Array.from({ length: outlines }, (_, i) => {
        const away = step * (outlines - i);
        const { x, y, width, height } = plan.layer;
        return (
          <rect
            key={i}
            class="layer"
            x={x + (isUpright ? 0 : away)}
            y={y - away}
            width={width}
            height={height}
            rx={8}
          />
        );
      })}
      <rect class="layer front" {...plan.layer} rx={8} />
      <text
        class="note"
        x={plan.layer.x + (isUpright ? 40 : 10)}
        y={plan.layer.y + (isCompact ? plan.layer.height - 5 : 17)}
      >
        {isUpright ? "" : layers > 1 ? `layer ${layer + 1} of ${layers}` : "one layer"}
      </text>
      <g class={`letters${isOn("tokens")}`}>
        <rect {...letters} rx={6} />
        <text x={middle} y={letters.y + letters.height / 2 + 5}>
          {isCompact ? "a b c" : "letters"}
        </text>
        <Arrow
          points={[
            [middle, letters.y + letters.height],
            [middle, embedding.y],
          ]}
        />{" "}
      </g>
      <g class={`stream${isOn("residual", "embedding")}`}>
        <Arrow
          points={[at(first, near(embedding)), at(first, stream), at(last, stream), at(last, near(logits))]}
          isThick
        />
      </g>
      {stage === "gradients" && (
        <g class="backwards on">
          <Arrow points={[at(last - 10, stream - 10), at(first + 10, stream - 10)]} />
        </g>
      )}
      {([attention, mlp] as const).map((box, i) => {
        const [there, back] = [begin(box) + inset, end(box) - inset];
        const [cx, cy] = at(back, stream);
        return (
          <g key={i} class={`branch${isOn(i === 0 ? "attention" : "mlp", "residual")}`}>
            <Arrow points={[at(there, stream), at(there, near(box))]} />
            <Arrow points={[at(back, near(box)), at(back, stream + radius)]} />
            <circle cx={cx} cy={cy} r={radius} />
            <path class="plus" d={`M${cx - radius / 2} ${cy}h${radius}M${cx} ${cy - radius / 2}v${radius}`} />
          </g>
        );
      })}
      {(Object.keys(TITLES) as BlockName[]).map((name) => {
        const { x, y, width, height } = blocks[name];
        const [title, gloss] = TITLES[name];
        return (
          <g key={name} class={`block${isOn(name, "gradients", "adam")}`} data-block={name}>
            <rect x={x} y={y} width={width} height={height} rx={8} />
            {isCompact ? (
              <text class="title" x={x + width / 2} y={y + height / 2 + 4} text-anchor="middle">
                {title}
              </text>
            ) : (
              <>
                <text class="title" x={x + 12} y={y + 21}>
                  {title}
                </text>
                <text class="note" x={x + 12} y={y + 38}>
                  {gloss}
                </text>
              </>
            )}
          </g>
        );
      })}
    </svg>
  );
}

function labelOf(layer: number, layers: number, stage: Stage | undefined): string {
  const repeated = layers > 1 ? ` (${layer + 1} of ${layers})` : "";
  const flow = `The model: letters, embedding, attention and MLP${repeated}, which add to the residual stream, logits.`;
  return stage ? `${flow} Marked: ${STAGES[stage]}.` : flow;
}

/** A line with a head at its end. */
function Arrow({ points, isThick = false }: { readonly points: readonly Point[]; readonly isThick?: boolean }) {
  const [x, y] = points.at(-1) ?? [0, 0];
  const [fromX, fromY] = points.at(-2) ?? [0, 0];
  const [dx, dy] = [Math.sign(x - fromX), Math.sign(y - fromY)];
  const size = isThick ? 7 : 5;
  const [baseX, baseY] = [x - dx * size * 1.4, y - dy * size * 1.4];
  const line = [...points.slice(0, -1), [baseX, baseY]].map((point) => point.join(" ")).join("L");
  return (
    <>
      <path class={isThick ? "line thick" : "line"} d={`M${line}`} />
      <path
        class="head"
        d={`M${x} ${y}L${baseX + dy * size} ${baseY + dx * size}L${baseX - dy * size} ${baseY - dx * size}Z`}
      />
    </>
  );
}
