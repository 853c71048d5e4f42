import type { WriteStream } from "node:tty";
import stringWidth from "string-width";

/* What a terminal takes since the VT100. */
const ERASE_DOWN = "\x1b[J";
const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";
const up = (rows: number): string => (rows > 0 ? `\x1b[${rows}A` : "");
const toColumn = (column: number): string => `\x1b[${column + 1}G`;

/** How often the screen is drawn at the most, in milliseconds. */
const INTERVAL = 50;
/** Characters that wait to be drawn; it is done at once when there are more. */
const MAX_WAITING = 1 << 15;

/** The lines at the bottom of the screen, none wider than it; the last one has the cursor. */
export interface Block {
  readonly lines: readonly string[];
  readonly cursorColumn: number;
}

/** A terminal with a block of lines at its bottom, above which text scrolls. */
export class Screen {
  private above = "";
  private timer: NodeJS.Timeout | undefined;
  /** Widths of the lines that are drawn. */
  private drawn: number[] = [];
  private block = "";
  private columns = 0;
  private isStopped = false;
  private readonly resized = (): void => this.change();
  private readonly drained = (): void => {
    this.draw();
    this.ready();
  };

  /**
   * @param compose gives the block
   * @param ready called when the terminal takes more again
   */
  constructor(
    private readonly output: WriteStream,
    private readonly compose: (columns: number, rows: number) => Block,
    private readonly ready: () => void,
  ) {
    output.on("resize", this.resized).on("drain", this.drained);
  }

  /** Whether the terminal is slower than what it is to show. */
  get isFull(): boolean {
    return this.output.writableNeedDrain && !this.isStopped;
  }

  /** @param text whole lines, with nothing in them that moves the cursor */
  print(text: string): void {
    // Whoever still has something to say afterwards says it below.
    if (this.isStopped) this.output.write(text);
    else this.above += text;
    if (this.above.length > MAX_WAITING) this.draw();
    else this.change();
  }

  /** The block is another. */
  change(): void {
    if (!this.isStopped) this.timer ??= setTimeout(() => this.draw(), INTERVAL);
  }

  /** Leaves what is shown where it is; whoever writes next does so below. The block is drawn anew when it changes. */
  leave(): void {
    this.output.write(`\r\n${SHOW_CURSOR}`);
    this.forget();
  }

  /** Somebody else has written: the block is drawn where the cursor is. */
  redraw(): void {
    this.forget();
    this.change();
  }

  private forget(): void {
    this.drawn = [];
    this.block = "";
  }

  /** Leaves the text, and no block. */
  stop(): void {
    this.isStopped = true;
    clearTimeout(this.timer);
    this.output.off("resize", this.resized).off("drain", this.drained);
    this.output.write(`${this.eraseBlock()}${this.above}${SHOW_CURSOR}`);
    this.above = "";
  }

  private draw(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    // What is under way to a slow terminal is enough.
    if (this.isStopped || this.isFull) return;
    const { columns, rows } = this.output;
    const { lines, cursorColumn } = this.compose(columns, rows);
    const block = `${lines.join("\r\n")}${toColumn(cursorColumn)}`;
    if (this.above === "" && block === this.block && columns === this.columns) return;
    this.output.write(`${HIDE_CURSOR}${this.eraseBlock()}${this.above}${block}${SHOW_CURSOR}`);
    this.drawn = lines.map((line) => stringWidth(line));
    this.block = block;
    this.columns = columns;
    this.above = "";
  }

  /** A terminal that has become narrower has broken the lines that were drawn. */
  private eraseBlock(): string {
    const { columns } = this.output;
    const rows = this.drawn.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / Math.max(1, columns))), 0);
    return `${up(rows - 1)}\r${ERASE_DOWN}`;
  }
}

/** As much of a text as fits into so many columns. */
export function cutTo(text: string, columns: number): string {
  if (stringWidth(text) <= columns) return text;
  let [cut, width] = ["", 0];
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    width += stringWidth(segment);
    if (width > columns) break;
    cut += segment;
  }
  return cut;
}
