import { powerOfTwo } from "../../src/gpt/base/elementary";
import type { Model } from "../../src/gpt/model/model";
import type { Floats, Ops, Tensor } from "../../src/gpt/model/ops";
import { gradientLayout, parameterLayout } from "../../src/gpt/model/parameters";
import { type DocumentInWork, DocumentRecorder } from "./document-recorder";
import type { MatrixRecord } from "./step-recording";
import { copyOf, normOf } from "./tensor-copies";

/*
 * Ops that copy what passes through them. They call the kernels that they stand for, so a step has the same bits.
 */

/** Positions of a document that are kept at most. */
const MAX_POSITIONS = 32;
/** What the copies of all documents take at most, in bytes, and those of the update. */
const DOCUMENT_BYTES = 6 << 20;
const UPDATE_BYTES = 2 << 20;
/** Copies of a weight in the update: g as float64, and m, v and w before and after it. */
const COPIES = 8;

/** The tensors of Ops.adam. */
interface Update {
  readonly w: Tensor;
  readonly g: Tensor;
  readonly m: Tensor;
  readonly v: Tensor | undefined;
}

/**
 * Runs `work` while `recorder` stands in the place of the kernels of `ops`, an object that this changes for the time.
 * @returns what `work` returns
 */
export async function recordWith<T>(ops: Ops, recorder: StepRecorder, work: () => Promise<T> | T): Promise<T> {
  const kernels = { ...ops };
  try {
    Object.assign(ops, recorder.opsAround(kernels));
    return await work();
  } finally {
    Object.assign(ops, kernels);
  }
}

/** Records the documents of a step and its update: at most 8 MB. */
export class StepRecorder {
  readonly documents: DocumentInWork[] = [];
  /** Documents in the gradient, kept or not. */
  documentCount = 0;
  /** The matrices of the update; undefined until there was one. Nothing is recorded after it. */
  matrices: readonly MatrixRecord[] | undefined;
  /** The constants that Adam was given. */
  constants = { beta1: 0, beta2: 0, epsilon: 0, rate: 0, vScale: 0 };
  private document: DocumentRecorder | undefined;
  private isDocumentKept = false;
  /** Size of a number in the copies, and of all copies of documents, in bytes. */
  private readonly numberBytes: number;
  private bytes = 0;

  /**
   * @param batchSize documents in a step of the trainer
   * @param layer the one that is kept if not all can be
   */
  constructor(
    private readonly model: Model,
    private readonly batchSize: number,
    private readonly layer: number,
  ) {
    this.numberBytes = model.ops.dtype === "f32" ? 4 : 8;
  }

  /** @param kernels what the ops call */
  opsAround(kernels: Ops): Partial<Ops> {
    return { ...this.forwardOps(kernels), ...this.backwardOps(kernels) };
  }

  private forwardOps(kernels: Ops): Partial<Ops> {
    return {
      embeddingForward: (x, wte, wpe, tokens, from, to, n) => {
        kernels.embeddingForward(x, wte, wpe, tokens, from, to, n);
        this.document = this.matrices || from > 0 ? undefined : this.newDocument(to);
        this.document?.embed(x, wte, wpe, tokens);
      },
      qkvForward: (qkv, x, w, from, to, n, block) => {
        kernels.qkvForward(qkv, x, w, from, to, n, block);
        this.document?.project(qkv, x);
      },
      attentionForward: (y, p, qkv, bias, from, to, n, heads, block) => {
        kernels.attentionForward(y, p, qkv, bias, from, to, n, heads, block);
        this.document?.attend(y, p, bias);
      },
      linearResidualForward: (y, residual, x, w, from, to, n, m) => {
        kernels.linearResidualForward(y, residual, x, w, from, to, n, m);
        this.document?.addAttention(y, residual);
      },
      mlpForward: (y, residual, h, x, w1, w2, from, to, n, hidden) => {
        kernels.mlpForward(y, residual, h, x, w1, w2, from, to, n, hidden);
        this.document?.addMlp(y, h, x);
      },
      linearForward: (y, x, w, from, to, n, m) => {
        kernels.linearForward(y, x, w, from, to, n, m);
        this.document?.predict(y);
      },
    };
  }

  private backwardOps(kernels: Ops): Partial<Ops> {
    return {
      softmaxCrossEntropy: (logits, tokens, rows, vocabulary, weight) => {
        const loss = kernels.softmaxCrossEntropy(logits, tokens, rows, vocabulary, weight);
        // A measurement has no weight, and no backward pass.
        if (!(weight > 0)) this.document = undefined;
        if (!this.document) return loss;
        this.document.compare(loss, logits);
        this.documentCount++;
        return loss;
      },
      linearBackward: (dx, dw, dy, x, w, rows, n, m, accumulate) => {
        const { document } = this;
        // The first one is that of the logits.
        if (document?.isInLayer) document.flow("middle", dy, m);
        kernels.linearBackward(dx, dw, dy, x, w, rows, n, m, accumulate);
        if (document?.isInLayer) document.flow("attention", dx, n);
        else document?.enterLayers();
      },
      mlpBackward: (dx, dw1, dw2, dy, h, x, w1, w2, rows, n, hidden, accumulate) => {
        // dx may be dy itself.
        this.document?.flow("output", dy, n);
        kernels.mlpBackward(dx, dw1, dw2, dy, h, x, w1, w2, rows, n, hidden, accumulate);
        this.document?.flow("hidden", h, hidden);
      },
      attentionBackward: (dqkv, dbias, dy, y, p, qkv, rows, n, heads, block, accumulate) => {
        kernels.attentionBackward(dqkv, dbias, dy, y, p, qkv, rows, n, heads, block, accumulate);
        this.document?.flowOfProjections(dqkv);
      },
      embeddingBackward: (dwte, dwpe, dx, tokens, rows, n, accumulate) => {
        kernels.embeddingBackward(dwte, dwpe, dx, tokens, rows, n, accumulate);
        this.document?.flow("embedding", dx, n);
        if (this.document && this.isDocumentKept) this.documents.push(this.document.record);
        this.document = undefined;
      },
      adam: (w, g, m, v, beta1, beta2, epsilon, rate, vScale) => {
        const update = (): boolean => kernels.adam(w, g, m, v, beta1, beta2, epsilon, rate, vScale);
        if (this.matrices) return update();
        this.constants = { beta1, beta2, epsilon, rate, vScale };
        return this.recordUpdate({ w, g, m, v }, update);
      },
    };
  }

  private newDocument(rows: number): DocumentRecorder {
    const { shape, config } = this.model;
    const { nLayer } = config;
    const left = DOCUMENT_BYTES - this.bytes;
    let kept = Math.min(rows, MAX_POSITIONS);
    let isWhole = true;
    // The first document is kept at least in part.
    if (this.documents.length === 0 && this.sizeOf(kept, nLayer) > left) {
      isWhole = false;
      while (kept > 0 && this.sizeOf(kept, 1) > left) kept--;
    }
    const size = this.sizeOf(kept, isWhole ? nLayer : 1);
    this.isDocumentKept = size <= left;
    if (this.isDocumentKept) this.bytes += size;
    else kept = 0;
    return new DocumentRecorder(shape, rows, kept, (layer) => kept > 0 && (isWhole || layer === this.layer));
  }

  /** What a document takes, in bytes. */
  private sizeOf(kept: number, layers: number): number {
    const { n, heads, hidden, vocabulary } = this.model.shape;
    const layer = kept * (9 * n + hidden + heads) + (heads * kept * (kept + 1)) / 2;
    return this.numberBytes * (kept * (3 * n + vocabulary) + layers * layer);
  }

  private recordUpdate(tensors: Update, update: () => boolean): boolean {
    const { model } = this;
    const { parts } = parameterLayout(model.config);
    const room = Math.floor(UPDATE_BYTES / (COPIES * this.numberBytes * parts.length));
    const gradientOf = gradientsOf(model, tensors.g, this.batchSize);
    const before = parts.map(({ name, rows, columns, offset }) => {
      const kept = Math.min(rows, Math.floor(room / columns));
      const length = kept * columns;
      const [wBefore, mBefore, vBefore] = this.stateOf(tensors, offset, length);
      const { numbers, unit } = gradientOf(name);
      const gradientNorm = unit * normOf(numbers, 0, rows * columns);
      const g = Float64Array.from(numbers.subarray(0, length), (x: number) => x * unit);
      return { offset, matrix: { name, rows, columns, kept, gradientNorm, g, wBefore, mBefore, vBefore } };
    });
    const isInRange = update();
    this.matrices = before.map(({ offset, matrix }) => {
      const [w, m, v] = this.stateOf(tensors, offset, matrix.kept * matrix.columns);
      const moments = tensors.m instanceof Int32Array ? this.unrounded(matrix) : { m, v };
      return { ...matrix, w, ...moments };
    });
    return isInRange;
  }

  /** The moments that an update used, before they were rounded to words. */
  private unrounded({ g, mBefore, vBefore }: Pick<MatrixRecord, "g" | "mBefore" | "vBefore">): {
    readonly m: Float64Array;
    readonly v: Float64Array;
  } {
    const { beta1, beta2 } = this.constants;
    return {
      m: Float64Array.from(g, (gi, i) => beta1 * (mBefore[i] ?? NaN) + (1 - beta1) * gi),
      v: Float64Array.from(g, (gi, i) => beta2 * (vBefore[i] ?? NaN) + (1 - beta2) * gi * gi),
    };
  }

  /** Copies of weights and of their moments. */
  private stateOf({ w, m, v }: Update, from: number, length: number): [w: Floats, m: Floats, v: Floats] {
    const words = "mantissas" in m ? m.mantissas : m;
    if (!(words instanceof Int32Array))
      return [copyOf(w, from, length), copyOf(m, from, length), copyOf(v ?? m, from, length)];
    const { ops } = this.model;
    const decoded = (what: "m" | "v"): Floats => {
      const floats = new Float32Array(length);
      (ops.codec ?? ops.words)?.decode(floats, words, from, what);
      return floats;
    };
    return [copyOf(w, from, length), decoded("m"), decoded("v")];
  }
}

/** The gradient of a matrix: the value of a number is `unit` times as much. */
interface Gradient {
  readonly numbers: Floats | Int32Array;
  readonly unit: number;
}

/** Finds the gradient of a matrix by its name. @param batchSize documents in a step of the trainer */
function gradientsOf({ config, ops }: Model, g: Tensor, batchSize: number): (name: string) => Gradient {
  const numbers = "mantissas" in g ? g.mantissas : (g as Floats);
  const { parts } = gradientLayout(config, ops.dtype, batchSize);
  return (name) => {
    const at = parts.findIndex((part) => part.name === name);
    const [part, last] = [parts[at], parts.slice(at).find(({ format }) => format)];
    if (!part) throw new RangeError(`There is no matrix ${name}.`);
    const own = numbers.subarray(part.offset, part.offset + part.rows * part.columns);
    if (!last?.format) return { numbers: own, unit: 1 };
    // The last of some matrices has the exponents of all of them behind it.
    const first = parts.indexOf(last) - last.format.exponents + 1;
    const exponent = numbers[last.offset + last.rows * last.columns + at - first] ?? NaN;
    return { numbers: own, unit: powerOfTwo(-exponent) };
  };
}
