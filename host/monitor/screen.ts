import type { WriteStream } from "node:tty";

/* Escape sequences of the VT100. */
const ERASE_DOWN = "\x1b[J";
const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";
const up = (rows: number): string => (rows > 0 ? `\x1b[${rows}A` : "");
const toColumn = (column: number): string => `\x1b[${column + 1}G`;

/** Minimum interval between redraws, in milliseconds. */
const INTERVAL = 50;
/** Characters to buffer before the screen is drawn at once. */
const MAX_WAITING = 1 << 15;

/** The number of columns that a text takes. */
export type Width = (text: string) => number;

/** The lines at the bottom of the screen, none wider than the screen; the cursor is in the last one. */
export interface Block {
  readonly lines: readonly string[];
  readonly cursorColumn: number;
}

/** A terminal with a fixed block of lines at its bottom, above which text scrolls. */
export class Screen {
  private above = "";
  private timer: NodeJS.Timeout | undefined;
  /** Widths of the lines on the screen. */
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
   * @param compose returns the block
   * @param ready called when the terminal can take more
   */
  constructor(
    private readonly output: WriteStream,
    private readonly compose: (columns: number, rows: number) => Block,
    private readonly ready: () => void,
    private readonly width: Width,
  ) {
    output.on("resize", this.resized).on("drain", this.drained);
  }

  /** Whether output is stalled because the terminal is slow. */
  get isFull(): boolean {
    return this.output.writableNeedDrain && !this.isStopped;
  }

  /** @param text whole lines, without anything that moves the cursor */
  print(text: string): void {
    // After stop() text goes below what is shown.
    if (this.isStopped) this.output.write(text);
    else this.above += text;
    if (this.above.length > MAX_WAITING) this.draw();
    else this.change();
  }

  /** Schedules a redraw because the block changed. */
  change(): void {
    if (!this.isStopped) this.timer ??= setTimeout(() => this.draw(), INTERVAL);
  }

  /** Leaves the screen as it is: later output goes below. The block is redrawn when it changes. */
  leave(): void {
    this.output.write(`\r\n${SHOW_CURSOR}`);
    this.forget();
  }

  /** Draws the block at the cursor, after another program has written to the terminal. */
  redraw(): void {
    this.forget();
    this.change();
  }

  private forget(): void {
    this.drawn = [];
    this.block = "";
  }

  /** Stops: erases the block and keeps the text. */
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
    // Do not queue more for a slow terminal.
    if (this.isStopped || this.isFull) return;
    const { columns, rows } = this.output;
    const { lines, cursorColumn } = this.compose(columns, rows);
    const block = `${lines.join("\r\n")}${toColumn(cursorColumn)}`;
    if (this.above === "" && block === this.block && columns === this.columns) return;
    this.output.write(`${HIDE_CURSOR}${this.eraseBlock()}${this.above}${block}${SHOW_CURSOR}`);
    this.drawn = lines.map((line) => this.width(line));
    this.block = block;
    this.columns = columns;
    this.above = "";
  }

  /** Erases the block. A terminal that became narrower has wrapped its lines. */
  private eraseBlock(): string {
    const { columns } = this.output;
    const rows = this.drawn.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / Math.max(1, columns))), 0);
    return `${up(rows - 1)}\r${ERASE_DOWN}`;
  }
}

/** Cuts a text to `columns`. */
export function cutTo(text: string, columns: number, widthOf: Width): string {
  if (widthOf(text) <= columns) return text;
  let [cut, width] = ["", 0];
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    width += widthOf(segment);
    if (width > columns) break;
    cut += segment;
  }
  return cut;
}
