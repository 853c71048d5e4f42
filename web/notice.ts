import { signal } from "@preact/signals";

/** A sentence at the top of the page about something that was dropped or pasted, or "". */
export const notice = signal("");
