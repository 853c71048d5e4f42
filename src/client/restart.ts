import { InputError, printable } from "../gpt/base/errors";
import { BOOT_LINES } from "../protocol/lines";

/** The board has restarted: what was under way is over. */
export class Restarted extends InputError {
  override name = "Restarted";
}

/** Characters of a line that a sentence quotes. */
const QUOTED = 200;

/** Follows what a board says to people, to learn that it has restarted, and why: see PROTOCOL.md. */
export class RestartReader {
  private reasons: string[] = [];
  private hasStarted = false;

  /**
   * Takes a line of text.
   * @returns whether the board has restarted: "maybe more" where the next line may say more about it
   */
  take(line: string): "no" | "maybe more" | "yes" {
    const { restarting, resetBy, before, banner } = BOOT_LINES;
    const at = line.lastIndexOf(resetBy);
    if (line.startsWith(restarting)) {
      // It is the last line before the restart.
      this.reasons = [printable(line.slice(restarting.length), QUOTED)];
      return "no";
    }
    if (at >= 0) {
      this.reasons.push(printable(line.slice(at + 2), QUOTED));
      this.hasStarted = true;
      return "maybe more";
    }
    if (this.hasStarted && line.startsWith(before)) {
      this.reasons.push(printable(`${before.toLowerCase()}${line.slice(before.length).trimEnd()}`, QUOTED));
      return "yes";
    }
    return this.hasStarted || line.startsWith(banner) ? "yes" : "no";
  }

  /** What is to be told of the restart. The reader then waits for another. */
  emit(): Restarted {
    const reasons = this.reasons.map((reason) => (reason.endsWith(".") ? reason.slice(0, -1) : reason));
    this.reasons = [];
    this.hasStarted = false;
    return new Restarted(`The board has restarted${reasons.length > 0 ? ` (${reasons.join("; ")})` : ""}.`);
  }
}
