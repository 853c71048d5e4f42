/** Where in the model a picture is. */
export type Stage = "tokens" | "embedding" | "attention" | "residual" | "mlp" | "logits" | "gradients" | "adam";

interface Props {
  readonly stage: Stage;
  readonly layer: number;
}

/** The parts from left to right: their place, and the stages that they are lit in. */
const PARTS: readonly { readonly name: string; readonly at: number; readonly stages: readonly Stage[] }[] = [
  { name: "tokens", at: 2, stages: ["tokens"] },
  { name: "embedding", at: 75, stages: ["embedding"] },
  { name: "attention", at: 148, stages: ["attention"] },
  { name: "MLP", at: 221, stages: ["mlp"] },
  { name: "logits", at: 294, stages: ["logits"] },
];

/** A small drawing of the model: the residual stream is the line through its parts. */
export function StageMap({ stage, layer }: Props) {
  const isLit = stage === "gradients" || stage === "adam";
  return (
    <svg class="stage-map" viewBox="0 0 362 56" role="img" aria-label={`The model: ${nameOf(stage, layer)}`}>
      <line
        class={stage === "residual" || stage === "gradients" ? "stream lit" : "stream"}
        x1={26}
        y1={44}
        x2={336}
        y2={44}
      />
      {PARTS.map(({ name, at, stages }) => (
        <g key={name} class={isLit || stages.includes(stage) ? "part lit" : "part"}>
          <rect x={at} y={6} width={66} height={24} rx={5} />
          <text x={at + 33} y={22}>
            {name}
          </text>
          <line x1={at + 33} y1={30} x2={at + 33} y2={44} />
        </g>
      ))}
      {stage === "gradients" && <path class="back" d="M 336 51 H 30 m 6 -4 l -6 4 l 6 4" />}
    </svg>
  );
}

function nameOf(stage: Stage, layer: number): string {
  if (stage === "gradients") return "the gradients flow from the logits back to the tokens";
  if (stage === "adam") return "every part has weights that Adam changes";
  if (stage === "residual") return "the residual stream, the line through all parts";
  const isInLayer = stage === "attention" || stage === "mlp";
  return isInLayer ? `${stage === "mlp" ? "the MLP" : stage} of layer ${layer + 1}` : stage;
}
