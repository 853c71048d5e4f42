import { notice } from "./notice";

/** Maximum characters that are pasted or dropped into a field: more would block the page while it lays them out. */
const MOST_IN_LINE = 2_000;
const MOST_IN_TEXT = 20_000;

/** Refuses text that is too long for a field, before the browser puts it there. */
export function limitPasting(): void {
  addEventListener("paste", (event) => check(event, event.clipboardData), { capture: true });
  addEventListener("drop", (event) => check(event, event.dataTransfer), { capture: true });
}

function check(event: Event, data: DataTransfer | null): void {
  const { target } = event;
  const isText = target instanceof HTMLTextAreaElement;
  // The list form takes a long text without showing it.
  if (isText && target.name === "own-text" && event.type === "paste") return;
  if (!data || !(isText || target instanceof HTMLInputElement)) return;
  const most = isText ? MOST_IN_TEXT : MOST_IN_LINE;
  const { length } = data.getData("text/plain");
  notice.value = "";
  if (length <= most) return;
  event.preventDefault();
  notice.value = `The text has ${shown(length)} characters, and this field takes ${shown(most)} at most.`;
}

function shown(count: number): string {
  return count.toLocaleString("en");
}
