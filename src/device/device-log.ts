import type { Event, Emit } from "../protocol/events";
import { PROTOCOL_VERSION, sealLine } from "../protocol/lines";
import { formatText } from "../protocol/text-log";

/** The output of a device: the log for people, or JSON lines for programs (PROTOCOL.md). */
export class DeviceLog {
  isJson = false;
  /** Sequence number of the next JSON line. */
  private n = 0;

  /**
   * @param write receives complete lines
   * @param onEvent called with each event before it is written
   */
  constructor(
    private readonly write: (text: string) => void,
    private readonly onEvent?: Emit,
  ) {}

  readonly emit = (event: Event): void => {
    this.onEvent?.(event);
    const text = this.isJson ? `${sealLine(this.n++, event)}\n` : forPeople(event);
    if (text !== "") this.write(text);
  };

  /** Switches to JSON lines, and sends hello. */
  beginJson(version: string, place: string): void {
    this.isJson = true;
    this.n = 0;
    this.emit({ type: "hello", protocol: PROTOCOL_VERSION, version, place });
  }

  beginText(): void {
    this.isJson = false;
  }
}

function forPeople(event: Event): string {
  return event.type === "remark" || event.type === "error" ? `${event.message}\n` : formatText(event);
}
