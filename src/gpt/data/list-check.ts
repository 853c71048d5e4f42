import { composition, decomposed, isComposed, isMark } from "./canonical";
import type { Dataset } from "./dataset";
import { isVisible } from "../base/errors";
import { codeOf, ListWalk } from "./list-walk";

/*
 * Oddities of a dataset that are accepted, but probably not intended. The vocabulary shows whether any are possible,
 * so ordinary datasets are not read again.
 */

const BYTE_ORDER_MARK = 0xfeff;
/** Maximum invisible characters that a remark names. */
const MAX_NAMED = 4;
/** Maximum pairs of characters that are cached, with what they compose to. */
const MAX_PAIRS = 256;
/** Lines for each unit of work. */
const LINES = 32;

/** How often something occurs, and the line and character of the first time. */
interface Occurrence {
  count: number;
  line: number;
  codePoint: number;
}

/** Looks for oddities in a dataset, some lines at a time. */
export class ListCheck {
  /** The invisible characters of the vocabulary; `line` is 0 until one has been found. */
  private readonly invisible: Occurrence[] = [];
  /** Composed letters, which could also be a letter and a mark; and the marks. */
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
        // NFC does not compose it, so the pair of its parts is not an oddity in itself; both forms together are one.
        const parts = decomposed(String.fromCodePoint(codePoint));
        if (parts.length > 1 && parts.every(isKnown)) this.composed.add(codePoint);
      }
    }
    this.walk = new ListWalk(dataset.bytes, (codePoint, line, before) => {
      if (codePoint >= 0x80) this.take(codePoint, line, before);
    });
  }

  /** Whether the dataset must be read. */
  get isNeeded(): boolean {
    return this.invisible.length > 0 || (this.marks.size > 0 && this.composed.size > 0);
  }

  /** Reads some lines; false at the end. */
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

  /** A sentence for each kind of oddity, once the whole dataset has been read. */
  get remarks(): string[] {
    const { source, returnLine } = this.dataset;
    const remarks: string[] = [];
    if (returnLine > 0)
      remarks.push(
        `${source}, line ${returnLine}: it ends with CR alone, as on old Macs; this is read as the end of a line.`,
      );
    const found = this.invisible.filter(({ count }) => count > 0);
    const mark = found.find(({ codePoint }) => codePoint === BYTE_ORDER_MARK);
    if (mark)
      remarks.push(
        `${source}, line ${mark.line}: a byte-order mark (U+FEFF) is inside the file, as after joining two files; ` +
          `it is taken as a character: remove it if it should not be one.`,
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
      `${line}: "${String.fromCodePoint(codePoint)}" is written as ${here} there, but most such letters of the list are ` +
      `${elsewhere}; to a model these are different letters: convert the list to one form (NFC).`
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

/** The remarks on a dataset, which is read at once. */
export function remarksOf(dataset: Dataset): readonly string[] {
  const check = new ListCheck(dataset);
  while (check.isNeeded && check.work());
  return check.remarks;
}
