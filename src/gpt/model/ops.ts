import type { ElementaryFunctions } from "../base/elementary";

/** Floating-point numbers: single precision, or double on a desktop to check the gradients. */
export type Floats = Float32Array | Float64Array;

/** The numbers of a model's buffers; integers in i32, which i32-ops.ts explains. */
export type Numbers = Floats | Int32Array;

/** typescript: the reference, on every engine. native: the same operations in C, on XS. */
export type OpsName = "typescript" | "native";

/**
 * f32: single precision. f64: double precision. i32: block floating point with integers of 32 bits, for processors
 * without an FPU; it gives the same bits everywhere.
 */
export type Dtype = "f32" | "f64" | "i32";

/**
 * A matrix as an op takes it: row-major; its shape is passed to the op. The TypeScript ops take a view of
 * the numbers; other ops may need another view of the same memory, so Ops.view makes them.
 */
export type Tensor = Floats | Int32Array | Uint8Array | IntegerTensor;

/**
 * What a backward pass does with the gradient of a weight: sets it, adds it to what is there (true), or updates the weight
 * at once. In that case the argument for the gradient has the weight's moments in words, and this one what Adam.begin()
 * returns.
 */
export type Accumulate = boolean | Tensor;

/**
 * A tensor in block floating point: of k equal blocks, block i has the values mantissas · 2^-exponents[i]. One whose
 * values have a fixed exponent, such as a weight, has no exponents.
 */
export interface IntegerTensor {
  readonly mantissas: Int32Array;
  readonly exponents: Int32Array;
  /** Maximum bits of a mantissa beside its sign; for the gradient of a weight, ceil(log2) of the documents summed. */
  readonly bits: number;
}

/** What the memory of a tensor in block floating point has behind its mantissas: the exponents, and then `bits`. */
export interface BlockFormat {
  /** Number of exponents. */
  readonly exponents: number;
  readonly bits: number;
}

/** What the numbers of a buffer are, for their conversion to float32. */
export type Stored = "weights" | "m" | "v";

/**
 * Converts the integers of i32, or moments in words, to and from float32: exactly where float32 can hold the number, or
 * the word its digits.
 */
export interface Codec {
  /** Sets floats[i] to the value of numbers[from + i] for each element of `floats`. */
  decode(floats: Float32Array, numbers: Int32Array, from: number, what: Stored): void;
  /**
   * Sets numbers[from + i] to the nearest value that i32 can hold, which is the same again for one that decode() made.
   * m has to come before v: the word of a parameter holds both.
   */
  encode(numbers: Int32Array, from: number, floats: Float32Array, what: Stored): void;
}

/**
 * The numeric kernels; every operation is a forward/backward pair. They work on whole sequences: rows
 * `from` to `to` - 1 of their matrices, one row for each position. Training computes rows 0 to T at once;
 * generation computes one new row, with the keys and values of the rows before it still in place. In i32, where all rows
 * share an exponent, `from` is always 0.
 *
 * Backward passes take the first `rows` positions. They SET the gradients of weights, as every weight is
 * used once for each name, so nothing has to be zeroed; with `accumulate` they ADD to them, from the second
 * name of a batch on. With an update (see Accumulate) there are no gradients. Each says whether it sets the gradients of
 * its inputs or adds to them.
 *
 * T is the number of positions, B the block size, V the vocabulary, n the width of the embedding.
 */
export interface Ops {
  readonly name: OpsName;
  readonly dtype: Dtype;

  /** The functions with which random numbers, rates and probabilities are computed: portable ones in i32. */
  readonly functions: ElementaryFunctions;
  /** How float32 files store the numbers; undefined if they are floats. */
  readonly codec: Codec | undefined;
  /** The same for Adam's moments in words, as bf16 stores them; undefined but in f32. */
  readonly words: Codec | undefined;
  /**
   * Whether backward passes can update weights at once, if the embedding has this width and a bias this many numbers.
   * What they pass back, weights and moments then have the same bits as with gradients that are kept.
   */
  canUpdate(width: number, bias: number): boolean;

  /**
   * A view of `length` numbers from `offset` on, as these ops take it. In f32, integers are moments in words.
   * @param format in i32, of a tensor that has exponents; they and `bits` are the last of the numbers
   */
  view(numbers: Numbers, offset: number, length: number, format?: BlockFormat): Tensor;

  /** Sets every element to zero. */
  zero(x: Tensor): void;

  /** Whether no element is NaN or infinite. */
  areFinite(x: Floats): boolean;

  /** x[t] = wte[tokens[t]] + wpe[t]; x: T×n, wte: V×n, wpe: B×n */
  embeddingForward(x: Tensor, wte: Tensor, wpe: Tensor, tokens: Uint8Array, from: number, to: number, n: number): void;
  /** An update needs the weights. */
  embeddingBackward(
    dwte: Tensor,
    dwpe: Tensor,
    dx: Tensor,
    tokens: Uint8Array,
    rows: number,
    n: number,
    accumulate: Accumulate,
    wte?: Tensor,
    wpe?: Tensor,
  ): void;

  /** y = x / sqrt(mean(x²) + 1e-5), row by row; x, y: T×n (Zhang & Sennrich 2019, without a gain) */
  rmsNormForward(y: Tensor, x: Tensor, from: number, to: number, n: number): void;
  /** Adds to dx. */
  rmsNormBackward(dx: Tensor, dy: Tensor, x: Tensor, rows: number, n: number): void;

  /** y = x·w; x: T×n, w: n×m, y: T×m */
  linearForward(y: Tensor, x: Tensor, w: Tensor, from: number, to: number, n: number, m: number): void;
  /** y = residual + x·w; residual, y: T×m */
  linearResidualForward(
    y: Tensor,
    residual: Tensor,
    x: Tensor,
    w: Tensor,
    from: number,
    to: number,
    n: number,
    m: number,
  ): void;
  /** Backward of both (the residual's gradient is dy itself). Sets dx. */
  linearBackward(
    dx: Tensor,
    dw: Tensor,
    dy: Tensor,
    x: Tensor,
    w: Tensor,
    rows: number,
    n: number,
    m: number,
    accumulate: Accumulate,
  ): void;

  /**
   * Queries, keys and values at once: q = x·wq, k = x·wk, v = x·wv. x: T×n; w: wq, wk and wv, n×n each,
   * concatenated; qkv: q, k and v, B×n each, concatenated.
   */
  qkvForward(qkv: Tensor, x: Tensor, w: Tensor, from: number, to: number, n: number, block: number): void;
  /** Adds to dx. An update needs `copy`, a tensor of T×n whose numbers are lost. */
  qkvBackward(
    dx: Tensor,
    dw: Tensor,
    dqkv: Tensor,
    x: Tensor,
    w: Tensor,
    rows: number,
    n: number,
    block: number,
    accumulate: Accumulate,
    copy?: Tensor,
  ): void;

  /**
   * Causal attention over all heads: for head h of width d = n/heads,
   * p[h][t][s] = softmax over s <= t of q[t]·k[s]/sqrt(d) + bias[h][t - s] and y[t] = Σ p[h][t][s] v[s].
   * bias: heads×B, learned, by head and distance (Raffel et al. 2020, without buckets), if the model has
   * it. y: T×n; p: only the lower triangle of each head, B(B+1)/2 floats, with row t at t(t+1)/2.
   */
  attentionForward(
    y: Tensor,
    p: Tensor,
    qkv: Tensor,
    bias: Tensor | undefined,
    from: number,
    to: number,
    n: number,
    heads: number,
    block: number,
  ): void;
  /** Sets dqkv. dbias is the gradient of a weight, which an update needs. */
  attentionBackward(
    dqkv: Tensor,
    dbias: Tensor | undefined,
    dy: Tensor,
    y: Tensor,
    p: Tensor,
    qkv: Tensor,
    rows: number,
    n: number,
    heads: number,
    block: number,
    accumulate: Accumulate,
    bias?: Tensor,
  ): void;

  /**
   * The multi-layer perceptron: h = max(x·w1, 0), y = residual + h·w2. A unit that is zero after the
   * ReLU costs nothing further. x, residual, y: T×n; w1: n×hidden; h: T×hidden; w2: hidden×n
   */
  mlpForward(
    y: Tensor,
    residual: Tensor,
    h: Tensor,
    x: Tensor,
    w1: Tensor,
    w2: Tensor,
    from: number,
    to: number,
    n: number,
    hidden: number,
  ): void;
  /** Adds to dx, which may be dy itself: its rows change when those of dy are done with. h becomes its own gradient. */
  mlpBackward(
    dx: Tensor,
    dw1: Tensor,
    dw2: Tensor,
    dy: Tensor,
    h: Tensor,
    x: Tensor,
    w1: Tensor,
    w2: Tensor,
    rows: number,
    n: number,
    hidden: number,
    accumulate: Accumulate,
  ): void;

  /**
   * Returns the mean over the rows of -log softmax(logits[t])[tokens[t + 1]], and replaces the logits with the
   * gradient of the weighted sum: weight·(softmax(logits[t]) - onehot(tokens[t + 1])). A weight of 1 / rows
   * gives the gradient of the mean; logits: T×V
   */
  softmaxCrossEntropy(logits: Tensor, tokens: Uint8Array, rows: number, vocabulary: number, weight: number): number;

  /**
   * One step of Adam (Kingma & Ba 2015, algorithm 1), the bias corrections given:
   * m = β1·m + (1 - β1)·g; v = β2·v + (1 - β2)·g²; w -= rate·m / (sqrt(v·vScale) + ε), where
   * rate = α / (1 - β1^t) and vScale = 1 / (1 - β2^t). Flat buffers. Without v, m has the words of both: see
   * moment-words.ts. In i32, with the constants of adam.ts, m holds v as well, and v is a table of the matrices that have
   * exponents of their own: for each of them four integers, its first index in w and m, its first index in g, its length,
   * and the number of its exponents, which follow it in g. Returns whether all weights are in range: in i32, one that is
   * not is clamped.
   */
  adam(
    w: Tensor,
    g: Tensor,
    m: Tensor,
    v: Tensor | undefined,
    beta1: number,
    beta2: number,
    epsilon: number,
    rate: number,
    vScale: number,
  ): boolean;
}

/** The ops of a model that is no longer trained: those of its forward pass. */
export type InferenceOps = Pick<
  Ops,
  | "name"
  | "dtype"
  | "functions"
  | "view"
  | "embeddingForward"
  | "rmsNormForward"
  | "linearForward"
  | "linearResidualForward"
  | "qkvForward"
  | "attentionForward"
  | "mlpForward"
>;

/**
 * The ops of a platform; its fastest unless a dtype and a name are given.
 * @throws InputError for ops or a dtype that it does not have
 */
export type ProvideOps = (dtype: Dtype | undefined, ops?: OpsName) => Ops;
