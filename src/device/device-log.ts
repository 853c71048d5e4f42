import type { Event, Emit } from "../protocol/events";
import { PROTOCOL_VERSION, sealLine } from "../protocol/lines";
import { formatText } from "../protocol/text-log";

/** What a device says: the log for people, or for programs the lines of PROTOCOL.md. */
export class DeviceLog {
  isJson = false;
  /** Of the next line for programs. */
  private n = 0;

  /**
   * @param write takes whole lines
   * @param onEvent is told first, where somebody listens
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

  /** From here on for programs. */
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
