import { InputError, printable } from "../gpt/base/errors";
import { BOOT_LINES } from "../protocol/lines";

/** The board has restarted; commands and transfers in progress fail with this error. */
export class Restarted extends InputError {
  override name = "Restarted";
}

/** Maximum number of characters of a line that a message quotes. */
const QUOTED = 200;

/** Detects a restart of the board and its reason from its lines of text: see PROTOCOL.md. */
export class RestartReader {
  private reasons: string[] = [];
  private hasStarted = false;

  /**
   * Processes a line of text.
   * @returns whether the board has restarted: "maybe more" when the next line may add to the reason
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

  /** Returns the error for the restart, and resets the reader. */
  reason(): Restarted {
    const reasons = this.reasons.map((reason) => (reason.endsWith(".") ? reason.slice(0, -1) : reason));
    this.reasons = [];
    this.hasStarted = false;
    return new Restarted(`The board has restarted${reasons.length > 0 ? ` (${reasons.join("; ")})` : ""}.`);
  }
}
