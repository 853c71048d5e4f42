import { PROBABILITY_EXPONENT } from "../../src/gpt/model/i32-arithmetic";
import type { Shape } from "../../src/gpt/model/model";
import type { Floats, Tensor } from "../../src/gpt/model/ops";
import type { DocumentRecord, FlowRecord, FlowStage, LayerRecord } from "./step-recording";
import { copyOf, lossesOf, normOf } from "./tensor-copies";

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** What is known of a document before the update. */
export type DocumentInWork = Omit<DocumentRecord, "lossesAfter" | "lossAfter">;

const NOTHING: Floats = new Float32Array(0);

/** Copies what the forward and the backward pass of one document compute. */
export class DocumentRecorder {
  private readonly layers: (Writable<LayerRecord> | undefined)[] = [];
  private readonly flows: FlowRecord[] = [];
  private readonly parts: Writable<Omit<DocumentInWork, "layers" | "flow">>;
  /** The layer that the backward pass is in; undefined before the first. */
  private backIn: number | undefined;

  /**
   * @param rows positions of the document
   * @param kept positions to keep, the first ones
   * @param isKept whether a layer is
   */
  constructor(
    private readonly shape: Shape,
    private readonly rows: number,
    private readonly kept: number,
    private readonly isKept: (layer: number) => boolean,
  ) {
    this.parts = {
      tokens: new Uint8Array(0),
      rows,
      kept,
      tokenRows: NOTHING,
      positionRows: NOTHING,
      embedding: NOTHING,
      logits: NOTHING,
      losses: new Float64Array(0),
      loss: NaN,
    };
  }

  get record(): DocumentInWork {
    return { ...this.parts, layers: this.layers, flow: this.flows };
  }

  embed(x: Tensor, wte: Tensor, wpe: Tensor, tokens: Uint8Array): void {
    const { parts, shape, kept, rows } = this;
    parts.tokens = tokens.slice(0, rows + 1);
    parts.embedding = this.rowsOf(x);
    parts.positionRows = this.rowsOf(wpe);
    const tokenRows = parts.embedding.slice();
    for (let t = 0; t < kept; t++) tokenRows.set(copyOf(wte, (tokens[t] ?? NaN) * shape.n, shape.n), t * shape.n);
    parts.tokenRows = tokenRows;
  }

  /** Queries, keys and values: the first of a layer's operations. */
  project(qkv: Tensor, x: Tensor): void {
    const { shape, kept, layers } = this;
    if (!this.isKept(layers.length)) {
      layers.push(undefined);
      return;
    }
    const third = (part: number): Floats => copyOf(qkv, part * shape.block * shape.n, kept * shape.n);
    layers.push({
      ...{ q: third(0), k: third(1), v: third(2), attentionInput: this.rowsOf(x), bias: undefined },
      ...{ x: NOTHING, p: NOTHING, attention: NOTHING, middle: NOTHING },
      ...{ mlpInput: NOTHING, hidden: NOTHING, output: NOTHING },
    });
  }

  attend(y: Tensor, p: Tensor, bias: Tensor | undefined): void {
    const layer = this.layers.at(-1);
    if (!layer) return;
    const { heads, block } = this.shape;
    const { kept } = this;
    const size = (kept * (kept + 1)) / 2;
    layer.attention = this.rowsOf(y);
    layer.p = byHead(heads, (head) => copyOf(p, (head * block * (block + 1)) / 2, size, PROBABILITY_EXPONENT));
    layer.bias = bias && byHead(heads, (head) => copyOf(bias, head * block, kept));
  }

  addAttention(y: Tensor, residual: Tensor): void {
    const layer = this.layers.at(-1);
    if (!layer) return;
    layer.x = this.rowsOf(residual);
    layer.middle = this.rowsOf(y);
  }

  addMlp(y: Tensor, h: Tensor, x: Tensor): void {
    const layer = this.layers.at(-1);
    if (!layer) return;
    layer.hidden = this.rowsOf(h, this.shape.hidden);
    layer.mlpInput = this.rowsOf(x);
    layer.output = this.rowsOf(y);
  }

  predict(logits: Tensor): void {
    const { parts, shape, rows } = this;
    parts.logits = this.rowsOf(logits, shape.vocabulary);
    parts.losses = lossesOf(logits, parts.tokens, rows, shape.vocabulary);
  }

  /** @param gradient that of the logits */
  compare(loss: number, gradient: Tensor): void {
    this.parts.loss = loss;
    this.flow("logits", gradient, this.shape.vocabulary);
  }

  /** Whether the backward pass is beyond the logits. */
  get isInLayer(): boolean {
    return this.backIn !== undefined;
  }

  enterLayers(): void {
    this.backIn = this.layers.length - 1;
  }

  /** @param gradient its first rows, one for each position */
  flow(stage: FlowStage, gradient: Tensor, width: number, from = 0): void {
    const { rows, kept } = this;
    const numbers = copyOf(gradient, from, rows * width);
    this.flows.push({
      stage,
      ...(this.backIn !== undefined && stage !== "embedding" && { layer: this.backIn }),
      norms: Float64Array.from({ length: kept }, (_, t) => normOf(numbers, t * width, width)),
      norm: normOf(numbers, 0, rows * width),
    });
  }

  /** The last of a layer's gradients. */
  flowOfProjections(dqkv: Tensor): void {
    const { block, n } = this.shape;
    (["q", "k", "v"] as const).forEach((stage, part) => this.flow(stage, dqkv, n, part * block * n));
    if (this.backIn !== undefined) this.backIn--;
  }

  private rowsOf(x: Tensor, width = this.shape.n): Floats {
    return copyOf(x, 0, this.kept * width);
  }
}

/** The numbers of all heads, one head after another. */
function byHead(heads: number, of: (head: number) => Floats): Floats {
  const each = Array.from({ length: heads }, (_, head) => of(head));
  const size = each[0]?.length ?? 0;
  const all = each[0] instanceof Float32Array ? new Float32Array(heads * size) : new Float64Array(heads * size);
  each.forEach((numbers, head) => all.set(numbers, head * size));
  return all;
}
