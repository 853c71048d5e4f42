import { signal } from "@preact/signals";

/** An image that was dropped on the page, until the part that flashes has taken it. */
export const droppedImage = signal<File | undefined>(undefined);
