import { createInterface, type Interface } from "node:readline";
import { Writable } from "node:stream";
import type { ReadStream } from "node:tty";
import stringWidth from "string-width";
import { isVisible } from "../../src/gpt/base/errors";

/** Lines that can be had back with the arrow keys. */
const HISTORY = 500;
const PROMPT = "> ";

export interface InputListener {
  /** A line was typed. */
  line(text: string): void;
  /** What is shown of the line is another. */
  changed(): void;
  /** Ctrl-C. */
  interrupted(): void;
  /** Ctrl-Z. */
  suspended(): void;
  /** Ctrl-D, or the terminal has gone. */
  ended(): void;
}

/** A line that is edited, with a history; somebody else draws it. */
export class InputLine {
  private readonly editor: Interface;
  private readonly changed: () => void;

  constructor(
    private readonly input: ReadStream,
    listener: InputListener,
  ) {
    const nowhere = new Writable({ write: (_bytes, _encoding, done) => done() });
    this.editor = createInterface({ input, output: nowhere, terminal: true, historySize: HISTORY, prompt: "" });
    this.changed = () => listener.changed();
    this.editor
      .on("line", (text) => {
        // A terminal that goes away hands over what was half typed.
        if (!input.readableEnded) listener.line(text);
      })
      .on("SIGINT", () => listener.interrupted())
      .on("SIGTSTP", () => listener.suspended())
      .on("close", () => listener.ended());
    input.on("keypress", this.changed);
  }

  /** The prompt and the part of the line around the cursor, in so many columns, and the column of the cursor. */
  shown(columns: number): [text: string, cursor: number] {
    const { line, cursor } = this.editor;
    const memory = Math.max(1, columns - PROMPT.length - 1);
    const before = visible(line.slice(0, cursor));
    let [from, width] = [before.length, 0];
    while (from > 0 && width + stringWidth(before[from - 1]) <= memory) width += stringWidth(before[--from]);
    let text = before.slice(from).join("");
    const column = PROMPT.length + width;
    for (const part of visible(line.slice(cursor))) {
      width += stringWidth(part);
      if (width > memory) break;
      text += part;
    }
    return [PROMPT + text, column];
  }

  /** The terminal belongs to somebody else, or is ours again, in whatever mode it has been left. */
  set isRaw(isRaw: boolean) {
    this.input.setRawMode(false);
    if (isRaw) this.input.setRawMode(true);
  }

  close(): void {
    this.input.off("keypress", this.changed);
    this.editor.removeAllListeners("close");
    this.editor.close();
  }
}

/** Characters as they are seen; what is invisible, such as a tab that was pasted, as a mark. */
function visible(text: string): string[] {
  return Array.from(new Intl.Segmenter().segment(text), ({ segment }) =>
    isVisible(segment.codePointAt(0) ?? 0) ? segment : "·",
  );
}
