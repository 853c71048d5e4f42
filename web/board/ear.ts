import type { Sign } from "./link-state";

/** What the ROM of a chip prints as it starts, before any program: it says nothing about the program. */
const OF_THE_ROM =
  /^(ets |rst:|ESP-ROM|Build:|configsip:|clk_drv:|mode:|load:|entry |ho \d|csum |ets_main|SPIWP:|Saved PC|\s*$)/;

/** Maximum length of the unfinished line that is kept, in characters. */
const LONGEST = 200;

/** Listens to a board that may run anything, and notes what that seems to be. */
export class Ear {
  private found: Sign | undefined;
  private rest = "";

  /** Undefined if nothing but the ROM was heard. */
  get sign(): Sign | undefined {
    // A prompt has no line end.
    return this.found ?? (OF_THE_ROM.test(this.rest) ? undefined : "text");
  }

  /** Takes received text, in any pieces. */
  take(text: string): void {
    const lines = (this.rest + text).split(/\r?\n/);
    this.rest = (lines.pop() ?? "").slice(0, LONGEST);
    for (const line of lines) this.note(line);
  }

  /** What others have found out about what was heard. */
  tell(sign: "noise" | "debug"): void {
    this.found = sign;
  }

  private note(line: string): void {
    if (line.startsWith("waiting for download")) this.found = "loader";
    else if (/^(invalid header: 0xf+\b|flash read err)/.test(line)) this.found = "empty";
    else if (!OF_THE_ROM.test(line)) this.found ??= "text";
    // Whoever has pressed the reset button may have another program started.
    else if (this.found === "loader" && line.startsWith("rst:")) this.found = undefined;
  }
}
