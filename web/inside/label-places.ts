/** A label, by the centre and the size of its box. */
export interface Label {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export type Place = readonly [x: number, y: number];

/** Maximum number of rounds in which all overlapping labels push each other apart. */
const MAX_ROUNDS = 30;
/** How far each of two boxes moves, of their overlap: a little more than half, or the rest would take rounds without end. */
const SHARE = 0.51;
/** Directions in which a free place is looked for, at each distance. */
const DIRECTIONS = 16;
/** Gap between two boxes, in heights. */
const GAP = 0.04;

/**
 * Centres for labels so that no two boxes overlap, near their own; the same for the same labels. Labels push each other
 * apart where they overlap least; if some still do so after some rounds, all go, one by one, to the nearest free place.
 * It is for some hundreds of labels.
 */
export function placeLabels(labels: readonly Label[]): Place[] {
  const boxes = labels.map(({ x, y, width, height }) => new Box(x, y, width + GAP * height, (1 + GAP) * height));
  const tallest = boxes.reduce((most, { height }) => Math.max(most, height), 0);
  const sorted = [...boxes];
  for (let round = 0; round < MAX_ROUNDS; round++) if (!pushApart(sorted, tallest)) return boxes.map(placeOf);
  const placed: Box[] = [];
  for (const box of boxes) {
    moveToFreePlace(box, placed);
    placed.push(box);
  }
  return boxes.map(placeOf);
}

class Box {
  constructor(
    public x: number,
    public y: number,
    readonly width: number,
    readonly height: number,
  ) {}

  overlaps({ x, y, width, height }: Box): boolean {
    return 2 * Math.abs(this.x - x) < this.width + width && 2 * Math.abs(this.y - y) < this.height + height;
  }
}

function placeOf({ x, y }: Box): Place {
  return [x, y];
}

/**
 * Moves each two boxes that overlap, half of the way each. Returns whether any did.
 * @param tallest height of the tallest box
 */
function pushApart(boxes: Box[], tallest: number): boolean {
  let isMoved = false;
  // From the top: only boxes within a height can overlap. Where none is moved, the order is exact.
  boxes.sort((a, b) => a.y - b.y);
  for (let i = 0; i < boxes.length; i++) {
    const a = boxes[i];
    for (let j = i + 1; a && j < boxes.length; j++) {
      const b = boxes[j];
      if (!b || b.y - a.y >= tallest) break;
      const across = (a.width + b.width) / 2 - Math.abs(a.x - b.x);
      const down = (a.height + b.height) / 2 - Math.abs(a.y - b.y);
      if (across <= 0 || down <= 0) continue;
      isMoved = true;
      if (across < down) {
        const push = (a.x <= b.x ? -SHARE : SHARE) * across;
        a.x += push;
        b.x -= push;
      } else {
        const push = (a.y <= b.y ? -SHARE : SHARE) * down;
        a.y += push;
        b.y -= push;
      }
    }
  }
  return isMoved;
}

/** Along rings around its place, each half a height farther out: n boxes cannot fill n rings of this size. */
function moveToFreePlace(box: Box, others: readonly Box[]): void {
  const { x, y, width, height } = box;
  for (let ring = 0; others.some((other) => other.overlaps(box)); ring++) {
    const at = ring % DIRECTIONS;
    const distance = 0.5 * (1 + Math.floor(ring / DIRECTIONS));
    box.x = x + distance * width * Math.cos((2 * Math.PI * at) / DIRECTIONS);
    box.y = y + distance * height * Math.sin((2 * Math.PI * at) / DIRECTIONS);
  }
}
