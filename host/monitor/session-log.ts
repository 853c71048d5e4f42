import { closeSync, constants, fstatSync, openSync, writeSync } from "node:fs";
import { InputError, printable } from "../../src/gpt/base/errors";
import { escapeLine } from "../../src/client/escape";
import { fileError } from "../../src/places/node/file-errors";

/** Maximum buffered length of an incomplete line, in characters. */
const LONGEST_LINE = 4096;

/** A log file of a session: the board's output and typed lines, with timestamps. */
export class SessionLog {
  private rest = "";
  private trouble: InputError | undefined;
  private onTrouble: ((error: InputError) => void) | undefined;

  private constructor(
    private readonly fd: number,
    private readonly path: string,
  ) {}

  /** @throws InputError when the file cannot be written */
  static open(path: string): SessionLog {
    let fd: number;
    try {
      // Without O_NONBLOCK, opening a pipe blocks until it has a reader.
      fd = openSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK, 0o666);
    } catch (error) {
      throw fileError("write", path, error);
    }
    const status = fstatSync(fd);
    if (status.isFile() || status.isCharacterDevice()) return new SessionLog(fd, path);
    closeSync(fd);
    throw new InputError(`Cannot write ${printable(path, 200)}: the log of a session goes to a file.`);
  }

  /** @param call called with the error when the log can no longer be written */
  whenFull(call: (error: InputError) => void): void {
    if (this.trouble) call(this.trouble);
    else this.onTrouble = call;
  }

  /** @param text output of the board, in any pieces */
  said(text: string): void {
    const lines = (this.rest + text).split("\n");
    this.rest = lines.pop() ?? "";
    while (this.rest.length >= LONGEST_LINE) {
      lines.push(this.rest.slice(0, LONGEST_LINE));
      this.rest = this.rest.slice(LONGEST_LINE);
    }
    this.write("<", lines);
  }

  typed(line: string): void {
    this.write(">", [line]);
  }

  close(): void {
    if (this.rest !== "") this.write("<", [this.rest]);
    closeSync(this.fd);
  }

  private write(mark: string, lines: readonly string[]): void {
    if (this.trouble || lines.length === 0) return;
    const now = new Date().toISOString();
    const text = lines.map((line) => `${now} ${mark} ${escapeLine(line.replace(/\r+$/, ""))}\n`);
    const bytes = Buffer.from(text.join(""));
    try {
      for (let done = 0; done < bytes.length;) done += writeSync(this.fd, bytes, done);
    } catch (error) {
      this.trouble = fileError("write", this.path, error);
      this.onTrouble?.(this.trouble);
    }
  }
}
