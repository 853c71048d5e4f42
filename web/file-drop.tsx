import { signal } from "@preact/signals";
import { printable } from "../src/gpt/base/errors";
import type { BoardSession } from "./board/session";
import { notice } from "./notice";
import type { Workbench } from "./workbench/workbench";

/** What a dropped file may be. */
type Kind = "list" | "checkpoint" | "image";

const ENDINGS: Readonly<Record<string, Kind>> = { txt: "list", safetensors: "checkpoint", bin: "image" };
/** The part of a file that shows what it is. */
const HEAD_BYTES = 4096;
/** The first byte of an ESP32 program; in a full image it may lie behind one flash sector of 0xFF. */
const IMAGE_MAGIC = 0xe9;
const ERASED = 0xff;

/** Whether a file is being dragged over the page. */
const isOver = signal(false);

/** Takes files that are dropped anywhere on the page; without this a browser would open them in its place. */
export function takeDroppedFiles(bench: Workbench, session: BoardSession): void {
  addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    isOver.value = true;
    if (isFileInput(event.target)) return;
    event.preventDefault();
    if (event.dataTransfer) event.dataTransfer.dropEffect = "copy";
  });
  addEventListener("dragleave", ({ relatedTarget }) => {
    if (relatedTarget === null) isOver.value = false;
  });
  addEventListener("drop", (event) => {
    isOver.value = false;
    // A field for files takes them itself.
    if (!hasFiles(event) || isFileInput(event.target)) return;
    event.preventDefault();
    void takeAll(bench, session, Array.from(event.dataTransfer?.files ?? []));
  });
}

/** Says what can be dropped while a file is over the page. */
export function DropHint() {
  if (!isOver.value) return null;
  return (
    <p class="drop-hint">
      Drop it here: a list of words (.txt), a checkpoint (.safetensors) or an image for a board (.bin).
    </p>
  );
}

function hasFiles({ dataTransfer }: DragEvent): boolean {
  return dataTransfer?.types.includes("Files") ?? false;
}

function isFileInput(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement && target.type === "file" && !target.disabled;
}

async function takeAll(bench: Workbench, session: BoardSession, files: readonly File[]): Promise<void> {
  const [file] = files;
  notice.value = "";
  if (!file) return;
  const name = printable(file.name);
  if (files.length > 1) {
    notice.value = `Those are ${files.length} files: drop one at a time.`;
    return;
  }
  const kind = await kindOf(file).catch(() => undefined);
  if (kind === undefined)
    notice.value = `${name} is neither a list of words (.txt), a checkpoint (.safetensors) nor an image for a board (.bin).`;
  else if (kind === "image") {
    location.hash = "board";
    if (session.obstacle === undefined) await session.flashing.takeImage(file);
    else notice.value = session.obstacle;
  } else {
    location.hash = "train";
    bench.attempt(kind === "list" ? bench.takeOwnList(file.name, file) : bench.takeCheckpoint(file.name, file));
  }
}

/** What a file is by its ending or, with another ending, by its content; undefined if it is none of those. */
async function kindOf(file: File): Promise<Kind | undefined> {
  const head = new Uint8Array(await file.slice(0, HEAD_BYTES + 1).arrayBuffer());
  return ENDINGS[file.name.toLowerCase().replace(/.*\./, "")] ?? kindOfContent(head);
}

function kindOfContent(head: Uint8Array): Kind | undefined {
  // A safetensors file begins with the size of its header, in 8 bytes, and a brace.
  if (head[8] === "{".charCodeAt(0) && head[7] === 0) return "checkpoint";
  const isErased = head[0] === ERASED && head[HEAD_BYTES] === IMAGE_MAGIC;
  if (head[0] === IMAGE_MAGIC || isErased) return "image";
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(head.subarray(0, HEAD_BYTES), { stream: true });
    return text === "" || /[\0-\x08\x0e-\x1f]/.test(text) ? undefined : "list";
  } catch {
    return undefined;
  }
}
