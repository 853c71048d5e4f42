import { createInterface, type Interface } from "node:readline";
import { Writable } from "node:stream";
import type { ReadStream } from "node:tty";
import { isVisible } from "../../src/gpt/base/errors";
import type { Width } from "./screen";

/** Maximum number of lines in the history. */
const HISTORY = 500;
const PROMPT = "> ";

export interface InputListener {
  /** A line was entered. */
  line(text: string): void;
  /** The visible part of the line changed. */
  changed(): void;
  /** Ctrl-C. */
  interrupted(): void;
  /** Ctrl-Z. */
  suspended(): void;
  /** Ctrl-D, or the terminal was closed. */
  ended(): void;
}

/** A line editor with a history. Drawing is up to the caller. */
export class InputLine {
  private readonly editor: Interface;
  private readonly changed: () => void;

  constructor(
    private readonly input: ReadStream,
    listener: InputListener,
    private readonly width: Width,
  ) {
    const nowhere = new Writable({ write: (_bytes, _encoding, done) => done() });
    this.editor = createInterface({ input, output: nowhere, terminal: true, historySize: HISTORY, prompt: "" });
    this.changed = () => listener.changed();
    this.editor
      .on("line", (text) => {
        // When the terminal closes, readline reports a partial line.
        if (!input.readableEnded) listener.line(text);
      })
      .on("SIGINT", () => listener.interrupted())
      .on("SIGTSTP", () => listener.suspended())
      .on("close", () => listener.ended());
    input.on("keypress", this.changed);
  }

  /** The prompt and the part of the line around the cursor, cut to `columns`, and the column of the cursor. */
  shown(columns: number): [text: string, cursor: number] {
    const { line, cursor } = this.editor;
    const memory = Math.max(1, columns - PROMPT.length - 1);
    let [text, width] = ["", 0];
    for (const part of visible(line.slice(0, cursor)).toReversed()) {
      const wider = width + this.width(part);
      if (wider > memory) break;
      [text, width] = [part + text, wider];
    }
    const column = PROMPT.length + width;
    for (const part of visible(line.slice(cursor))) {
      width += this.width(part);
      if (width > memory) break;
      text += part;
    }
    return [PROMPT + text, column];
  }

  /** Sets raw mode. It is first switched off: after a suspension the state that Node remembers may be wrong. */
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

/** Splits a text into graphemes; invisible ones, such as a pasted tab, become "·". */
function visible(text: string): string[] {
  return Array.from(new Intl.Segmenter().segment(text), ({ segment }) =>
    isVisible(segment.codePointAt(0) ?? 0) ? segment : "·",
  );
}
