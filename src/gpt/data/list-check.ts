import { composition, decomposed, isComposed, isMark } from "./canonical";
import type { Dataset } from "./dataset";
import { isVisible } from "../base/errors";
import { codeOf, ListWalk } from "./list-walk";

/*
 * What a list may have that nobody wants, and that is taken all the same: its vocabulary tells whether there is
 * any of it, so that ordinary lists are not read again.
 */

const BYTE_ORDER_MARK = 0xfeff;
/** Invisible characters that are named. */
const MAX_NAMED = 4;
/** Pairs of characters that are remembered, with what they compose to. */
const MAX_PAIRS = 256;
/** Lines a bit. */
const LINES = 32;

/** Something that occurs: how often, and the first time where and which character. */
interface Occurrence {
  count: number;
  line: number;
  codePoint: number;
}

/** Reads a list whose vocabulary says that there is something to tell of it, some lines at a time. */
export class ListCheck {
  /** The characters that cannot be seen, with the line of the first of each, or 0. */
  private readonly invisible: Occurrence[] = [];
  /** Letters that are one character, and could be a letter and a mark; and the marks. */
  private readonly composed = new Set<number>();
  private readonly marks = new Set<number>();
  private readonly asOne: Occurrence = { count: 0, line: 0, codePoint: 0 };
  private readonly asTwo: Occurrence = { count: 0, line: 0, codePoint: 0 };
  private readonly pairs = new Map<number, number>();
  private readonly walk: ListWalk;

  constructor(private readonly dataset: Dataset) {
    const { vocabulary } = dataset;
    const isKnown = (codePoint: number): boolean => vocabulary.tokenOf(codePoint) > 0;
    for (let token = 1; token < vocabulary.size; token++) {
      const codePoint = vocabulary.codePointOf(token);
      if (codePoint < 0x80) continue;
      if (!isVisible(codePoint)) this.invisible.push({ count: 0, line: 0, codePoint });
      if (isMark(codePoint)) this.marks.add(codePoint);
    }
    for (let token = 1; token < vocabulary.size && this.marks.size > 0; token++) {
      const codePoint = vocabulary.codePointOf(token);
      if (isComposed(codePoint)) this.composed.add(codePoint);
      else if (codePoint >= 0x80) {
        // NFC does not make it: it stands for a pair that is no fault in itself.
        const parts = decomposed(String.fromCodePoint(codePoint));
        if (parts.length > 1 && parts.every(isKnown)) this.composed.add(codePoint);
      }
    }
    this.walk = new ListWalk(dataset.bytes, (codePoint, line, before) => {
      if (codePoint >= 0x80) this.take(codePoint, line, before);
    });
  }

  /** Whether the list must be read. */
  get isNeeded(): boolean {
    return this.invisible.length > 0 || (this.marks.size > 0 && this.composed.size > 0);
  }

  /** Reads some lines; false when there are no more. */
  work(): boolean {
    for (let i = 0; i < LINES; i++) if (!this.walk.next()) return false;
    return true;
  }

  private take(codePoint: number, line: number, before: number): void {
    const unseen = this.invisible.find((other) => other.codePoint === codePoint);
    if (unseen) occurs(unseen, line, codePoint);
    if (this.composed.has(codePoint)) occurs(this.asOne, line, codePoint);
    else if (before >= 0 && this.marks.has(codePoint)) {
      const letter = this.compositionOf(before, codePoint);
      if (letter >= 0) occurs(this.asTwo, line, letter);
    }
  }

  private compositionOf(first: number, second: number): number {
    const key = first * 0x110000 + second;
    let letter = this.pairs.get(key);
    if (letter === undefined) {
      letter = composition(first, second);
      if (letter >= 0 && !isComposed(letter) && !this.composed.has(letter)) letter = -1;
      if (this.pairs.size < MAX_PAIRS) this.pairs.set(key, letter);
    }
    return letter;
  }

  /** Once all is read: a sentence for each kind of thing. */
  get remarks(): string[] {
    const { source, returnLine } = this.dataset;
    const remarks: string[] = [];
    if (returnLine > 0)
      remarks.push(
        `${source}, line ${returnLine}: it ends with CR alone, as on old Macs, which is taken for the end of a line.`,
      );
    const found = this.invisible.filter(({ count }) => count > 0);
    const mark = found.find(({ codePoint }) => codePoint === BYTE_ORDER_MARK);
    if (mark)
      remarks.push(
        `${source}, line ${mark.line}: a byte-order mark (U+FEFF) stands within the file, as joining two files leaves ` +
          `it; it is taken as a character: remove it if it should not be one.`,
      );
    const others = found.filter((other) => other !== mark);
    if (others.length > 0) remarks.push(`${source}${invisibleRemark(others)}`);
    if (this.asOne.count > 0 && this.asTwo.count > 0) remarks.push(`${source}, line ${this.formsRemark()}`);
    return remarks;
  }

  private formsRemark(): string {
    const { asOne, asTwo } = this;
    const isOneRarer = asOne.count < asTwo.count;
    const { line, codePoint } = isOneRarer ? asOne : asTwo;
    const [here, elsewhere] = isOneRarer
      ? ["one character", "a letter and a mark"]
      : ["a letter and a mark", "one character"];
    return (
      `${line}: "${String.fromCodePoint(codePoint)}" is written as ${here} there, where most such letters of the list are ` +
      `${elsewhere}; a model takes them for different ones: convert the list to one form (NFC).`
    );
  }
}

function occurs(occurrence: Occurrence, line: number, codePoint: number): void {
  if (occurrence.count++ > 0) return;
  occurrence.line = line;
  occurrence.codePoint = codePoint;
}

function invisibleRemark(found: readonly Occurrence[]): string {
  const [{ codePoint, line }] = found;
  if (found.length === 1)
    return `, line ${line}: ${codeOf(codePoint)} cannot be seen; it is taken as a character: remove it if it should not be one.`;
  const named = found.slice(0, MAX_NAMED).map(({ codePoint, line }) => `${codeOf(codePoint)} (line ${line})`);
  const more = found.length > MAX_NAMED ? ` and ${found.length - MAX_NAMED} more` : "";
  return ` has characters that cannot be seen: ${named.join(", ")}${more}; they are taken as characters: remove those that should not be.`;
}

/** What there is to say of a list, read at once. */
export function remarksOf(dataset: Dataset): readonly string[] {
  const check = new ListCheck(dataset);
  while (check.isNeeded && check.work());
  return check.remarks;
}
