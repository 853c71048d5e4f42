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
/** Maximum number of places that are tried for a label that comes back. */
const MAX_PLACES = 8 * DIRECTIONS;
/** Gap between two boxes, in heights. */
const GAP = 0.04;

/**
 * Centres for labels so that no two boxes overlap, near their own; the same for the same labels. Labels push each other
 * apart where they overlap least; if some still overlap after some rounds, all go, one by one, to the nearest free
 * place. Then those that were carried far off come back as near as there is room. It is for some hundreds of labels.
 */
export function placeLabels(labels: readonly Label[]): Place[] {
  const boxes = labels.map(({ x, y, width, height }) => new Box(x, y, width + GAP * height, (1 + GAP) * height));
  if (!pushAllApart(boxes)) {
    const placed: Box[] = [];
    for (const box of boxes) {
      moveToFreePlace(box, placed);
      placed.push(box);
    }
  }
  for (const box of boxes.toSorted((a, b) => b.distance - a.distance)) comeBack(box, boxes);
  return boxes.map(({ x, y }): Place => [x, y]);
}

class Box {
  /** Where it belongs. */
  private readonly homeX: number;
  private readonly homeY: number;

  constructor(
    public x: number,
    public y: number,
    readonly width: number,
    readonly height: number,
  ) {
    this.homeX = x;
    this.homeY = y;
  }

  /** From where it belongs. */
  get distance(): number {
    return Math.hypot(this.x - this.homeX, this.y - this.homeY);
  }

  overlaps({ x, y, width, height }: Box): boolean {
    return 2 * Math.abs(this.x - x) < this.width + width && 2 * Math.abs(this.y - y) < this.height + height;
  }

  /** Goes to place number `place` on the rings around where it belongs: 0 is there, then come those half a box away. */
  goTo(place: number): void {
    const ring = Math.ceil(place / DIRECTIONS) / 2;
    const angle = (2 * Math.PI * place) / DIRECTIONS;
    this.x = this.homeX + ring * this.width * Math.cos(angle);
    this.y = this.homeY + ring * this.height * Math.sin(angle);
  }
}

/** Returns whether no boxes overlap in the end. */
function pushAllApart(boxes: readonly Box[]): boolean {
  const tallest = boxes.reduce((most, { height }) => Math.max(most, height), 0);
  const sorted = [...boxes];
  for (let round = 0; round < MAX_ROUNDS; round++) if (!pushApart(sorted, tallest)) return true;
  return false;
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

/** Finds a place: n boxes cannot fill n rings. */
function moveToFreePlace(box: Box, others: readonly Box[]): void {
  for (let place = 0; others.some((other) => other.overlaps(box)); place++) box.goTo(place);
}

/** Goes to the first free place that is nearer to where it belongs, if there is one. */
function comeBack(box: Box, boxes: readonly Box[]): void {
  const { x, y, distance } = box;
  for (let place = 0; place <= MAX_PLACES; place++) {
    box.goTo(place);
    if (box.distance >= distance) break;
    if (!boxes.some((other) => other !== box && other.overlaps(box))) return;
  }
  box.x = x;
  box.y = y;
}
