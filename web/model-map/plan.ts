import type { ModelConfig } from "../../src/gpt/model/config";
import { parameterLayout } from "../../src/gpt/model/parameters";

/* Where everything in the drawing of a model lies, in pixels. */

export type BlockName = "embedding" | "attention" | "mlp" | "logits";

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A matrix and its place. */
export interface PlacedMatrix {
  /** Its name in the layer, such as wq. */
  readonly name: string;
  readonly block: BlockName;
  /** Of its first number in the parameters. */
  readonly offset: number;
  readonly rows: number;
  readonly columns: number;
  /** Its caption and its squares. */
  readonly slot: Box;
  /** Size of its picture; a picture with fewer pixels than squares shows a sample of them. */
  readonly picture: { readonly width: number; readonly height: number };
}

export interface Plan {
  readonly width: number;
  readonly height: number;
  /** Whether the stream runs from top to bottom, not from left to right. */
  readonly isUpright: boolean;
  readonly isCompact: boolean;
  /** The stream's distance from the edge beside which it runs. */
  readonly stream: number;
  readonly letters: Box;
  readonly blocks: Readonly<Record<BlockName, Box>>;
  /** Around the blocks of a layer. */
  readonly layer: Box;
  /** In the order of the parameters. */
  readonly matrices: readonly PlacedMatrix[];
}

const BLOCKS: readonly BlockName[] = ["embedding", "attention", "mlp", "logits"];

/** From here on the four blocks fit side by side. */
const WIDE = 1170;
const LARGEST_CELL = 8;
const SMALL_CELL = 2;
/** Height of a block's title and of a matrix's caption. */
const TITLE = 48;
const CAPTION = 54;
const PADDING = 12;
const GAP = 16;
const ROW_GAP = 6;
/** Distance of blocks that follow each other. */
const BETWEEN = 26;
/** Distance between a block and the frame of its layer, and between that and the outline of another layer. */
const FRAME = 10;
const LETTERS = { width: 64, height: 28 };
const STREAM = 38;

/** The largest width and height of a matrix, and the rows of its block: which stand side by side. */
interface Room {
  readonly width: number;
  readonly height: number;
  readonly rows: readonly (readonly string[])[];
  /** The largest width of the last matrix, if it is another. */
  readonly lastWidth?: number;
}

const WIDE_ROOMS: Readonly<Record<BlockName, Room>> = {
  embedding: { width: 104, height: 272, rows: [["wte", "wpe"]] },
  attention: { width: 104, height: 104, rows: [["wq", "wk"], ["wv", "wo"], ["bias"]] },
  mlp: { width: 256, height: 272, rows: [["w1", "w2"]], lastWidth: 104 },
  logits: { width: 168, height: 272, rows: [["wout"]] },
};

/** @param inner width of a block without its padding */
function uprightRooms(inner: number): Readonly<Record<BlockName, Room>> {
  const half = Math.floor((inner - GAP) / 2);
  const height = 400;
  return {
    embedding: { width: half, height, rows: [["wte", "wpe"]] },
    attention: { width: half, height, rows: [["wq", "wk"], ["wv", "wo"], ["bias"]] },
    mlp: { width: inner, height, rows: [["w1"], ["w2"]] },
    logits: { width: inner, height, rows: [["wout"]] },
  };
}

/** Narrowest slot: the captions need it. */
const MIN_SLOT = 104;

/** Places the drawing of a model, with the matrices of one layer, in this width. */
export function planOf(config: ModelConfig, layer: number, width: number): Plan {
  const isUpright = width < WIDE;
  const left = LETTERS.width / 2;
  const rooms = isUpright ? uprightRooms(width - left - FRAME - 2 * PADDING) : WIDE_ROOMS;
  const parts = partsOf(config, layer);
  const blocks: Partial<Record<BlockName, Box>> = {};
  const matrices: PlacedMatrix[] = [];
  let [x, y] = isUpright ? [left, LETTERS.height + BETWEEN] : [0, STREAM + 38];
  for (const name of BLOCKS) {
    const {
      slots,
      width: inner,
      height,
    } = placeRows(rooms[name], isUpright ? rooms[name].width : MIN_SLOT, parts, x + PADDING, y + TITLE);
    const block = {
      x,
      y,
      width: isUpright ? width - left - FRAME : Math.max(180, inner + 2 * PADDING),
      height: TITLE + height + PADDING,
    };
    blocks[name] = block;
    matrices.push(...slots.map((slot) => ({ ...slot, block: name })));
    if (isUpright) y += block.height + BETWEEN + (name === "mlp" || name === "embedding" ? FRAME : 0);
    else x += block.width + BETWEEN;
  }
  const placed = blocks as Record<BlockName, Box>;
  const spare = isUpright ? 0 : Math.max(0, width - (x - BETWEEN)) / (BLOCKS.length - 1);
  const order = parts.map(({ name }) => name);
  return finish({
    width,
    isUpright,
    isCompact: false,
    stream: isUpright ? left / 2 : STREAM,
    letters: { x: isUpright ? left : 0, y: isUpright ? 0 : STREAM - LETTERS.height / 2, ...LETTERS },
    blocks: mapBlocks(placed, (box, i) => ({ ...box, x: box.x + i * spare })),
    matrices: matrices
      .map((matrix) => ({
        ...matrix,
        slot: { ...matrix.slot, x: matrix.slot.x + BLOCKS.indexOf(matrix.block) * spare },
      }))
      .sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name)),
  });
}

/** The drawing without matrices, to be shown at any size. */
export function compactPlan(): Plan {
  const place = (x: number, width: number): Box => ({ x, y: 62, width, height: 40 });
  const blocks = { embedding: place(4, 78), attention: place(95, 74), mlp: place(179, 58), logits: place(250, 62) };
  return finish({
    width: 316,
    isUpright: false,
    isCompact: true,
    stream: 32,
    letters: { x: 4, y: 20, width: 42, height: 24 },
    blocks,
    matrices: [],
  });
}

/** Adds the frame of the layer and the height. */
function finish(plan: Omit<Plan, "layer" | "height">): Plan {
  const { blocks, isUpright, isCompact, width } = plan;
  const { attention, mlp } = blocks;
  const frame = isCompact ? 6 : FRAME;
  const begin = isUpright ? { x: 1, y: attention.y - frame } : { x: attention.x - frame, y: isCompact ? 12 : 8 };
  const bottom = Math.max(attention.y + attention.height, mlp.y + mlp.height) + (isCompact ? 16 : frame);
  const right = isUpright ? width - 2 : mlp.x + mlp.width + frame;
  const layer = { ...begin, width: right - begin.x, height: bottom - begin.y };
  const height = Math.max(bottom, ...Object.values(blocks).map((box) => box.y + box.height)) + 2;
  return { ...plan, layer, height };
}

function mapBlocks(blocks: Record<BlockName, Box>, change: (box: Box, i: number) => Box): Record<BlockName, Box> {
  return Object.fromEntries(BLOCKS.map((name, i) => [name, change(blocks[name], i)])) as Record<BlockName, Box>;
}

interface Part {
  readonly name: string;
  readonly offset: number;
  readonly rows: number;
  readonly columns: number;
}

/** The matrices shared by all layers, and those of one layer. */
function partsOf(config: ModelConfig, layer: number): Part[] {
  const own = `layers.${Math.min(layer, config.nLayer - 1)}.`;
  return parameterLayout(config).parts.flatMap(({ name, offset, rows, columns }) => {
    if (name.startsWith(own)) return [{ name: name.slice(own.length), offset, rows, columns }];
    return name.startsWith("layers.") ? [] : [{ name, offset, rows, columns }];
  });
}

/** Places the matrices of a block in rows; width and height are those of all. @param least width of a slot */
function placeRows(
  { width, height, rows, lastWidth = width }: Room,
  least: number,
  parts: readonly Part[],
  left: number,
  top: number,
): { slots: Omit<PlacedMatrix, "block">[]; width: number; height: number } {
  const slots: Omit<PlacedMatrix, "block">[] = [];
  const names = rows.flat();
  const widthOf = ({ name }: Part): number => (name === names.at(-1) ? lastWidth : width);
  // The squares of a block have one size, but where that would be too small to be seen.
  const common = Math.min(
    ...parts
      .filter(({ name }) => names.includes(name))
      .map((part) => cellFor(widthOf(part) / part.columns, height / part.rows)),
  );
  const pictureOf = (part: Part): PlacedMatrix["picture"] => {
    const isSmall = common < SMALL_CELL;
    const across = isSmall ? cellFor(SMALL_CELL, widthOf(part) / part.columns) : common;
    const down = isSmall ? cellFor(SMALL_CELL, height / part.rows) : common;
    return { width: Math.ceil(part.columns * across), height: Math.ceil(part.rows * down) };
  };
  let below = top;
  let right = left;
  for (const row of rows) {
    const y = below === top ? top : below + ROW_GAP;
    let x = left;
    for (const name of row) {
      const part = parts.find((other) => other.name === name);
      if (!part) continue;
      const picture = pictureOf(part);
      const slot = {
        x,
        y,
        width: Math.max(name === "bias" ? 2 * least + GAP : least, picture.width),
        height: CAPTION + picture.height,
      };
      slots.push({ ...part, slot, picture });
      x += slot.width + GAP;
      right = Math.max(right, slot.x + slot.width);
      below = Math.max(below, y + slot.height);
    }
  }
  return { slots, width: right - left, height: below - top };
}

/** A size of squares in whole pixels if there is room for them, and in halves if they are small. */
function cellFor(...limits: readonly number[]): number {
  const most = Math.min(LARGEST_CELL, ...limits);
  if (most < 1) return most;
  return most < 3 ? Math.floor(2 * most) / 2 : Math.floor(most);
}
