/* The part of the page that flashes a board: which image, what becomes of what is on the board, how far it is. */
import { effect, useSignal } from "@preact/signals";
import { useEffect, useId, useRef } from "preact/hooks";
import { InputError, printable } from "../../src/gpt/base/errors";
import "./flash.css";
import { OUTCOMES, type Stage, STAGES } from "../../src/flasher/flash";
import { type Image, readImage } from "../../src/flasher/image";
import { droppedImage } from "./dropped-image";
import { flash } from "./flash";
import type { Index, Listed } from "./image-index";
import { fetchImage, fetchIndex, sha256 } from "./images";

export interface FlashPaneProps {
  /**
   * Lends a port, closed, to flash through; asked for at a click, so that the browser may let the user choose.
   * Resolves to undefined where there is none.
   */
  readonly lend: (work: (port: SerialPort) => Promise<true>) => Promise<true | undefined>;
}

interface Choice {
  readonly name: string;
  readonly image: Image;
}

interface Progress {
  readonly stage: Stage;
  readonly done: number | undefined;
}

export function FlashPane({ lend }: FlashPaneProps) {
  const index = useSignal<Index>({ source: "", images: [] });
  /** The file in images/ that is being fetched or has been; "" for one from disk. */
  const picked = useSignal("");
  const choice = useSignal<Choice | undefined>(undefined);
  /** Counts the choices, so that a slow download does not take the place of a later one. */
  const choices = useSignal(0);
  const isEraseAll = useSignal(false);
  const progress = useSignal<Progress | undefined>(undefined);
  const cancel = useSignal<AbortController | undefined>(undefined);
  const message = useSignal<Message>({ text: "" });
  const fileInput = useRef<HTMLInputElement>(null);
  const id = useId();

  useEffect(() => {
    fetchIndex().then(
      (fetched) => (index.value = fetched),
      (error: unknown) => (message.value = failure(error)),
    );
  }, []);

  const choose = async (name: string, load: () => Promise<Image>): Promise<void> => {
    const number = ++choices.value;
    choice.value = undefined;
    message.value = { text: `Reading ${printable(name)} …` };
    try {
      const image = await load();
      if (number !== choices.value) return;
      choice.value = { name, image };
      message.value = { text: "" };
    } catch (error) {
      if (number === choices.value) message.value = failure(error);
    }
  };

  const chooseListed = (listed: Listed): void => {
    picked.value = listed.file;
    if (fileInput.current) fileInput.current.value = "";
    void choose(listed.file, () => fetchImage(listed));
  };

  const chooseFile = (file: File | undefined): void => {
    // Who gives up choosing one keeps what was chosen before.
    if (!file) return;
    picked.value = "";
    void choose(file.name, async () => readImage(new Uint8Array(await file.arrayBuffer()), file.name, sha256));
  };

  useEffect(
    () =>
      effect(() => {
        const file = droppedImage.value;
        droppedImage.value = undefined;
        chooseFile(file);
      }),
    [],
  );

  const start = async ({ image }: Choice): Promise<void> => {
    const controller = new AbortController();
    cancel.value = controller;
    message.value = { text: "" };
    const write = async (port: SerialPort): Promise<true> => {
      try {
        const storage = await flash(port, image, {
          isEraseAll: isEraseAll.value,
          signal: controller.signal,
          onProgress: (stage, done) => (progress.value = { stage, done }),
        });
        message.value = { text: `The board is flashed and restarts. ${OUTCOMES[storage]}`, kind: "good" };
      } catch (error) {
        message.value = failure(error);
      }
      return true;
    };
    try {
      if (!(await lend(write))) message.value = { text: "No port was chosen." };
    } finally {
      progress.value = undefined;
      cancel.value = undefined;
    }
  };

  const { source, images } = index.value;
  const chosen = choice.value;
  const isBusy = cancel.value !== undefined;
  const isCancelable = isBusy && (progress.value?.stage ?? "connecting") === "connecting";
  return (
    <section class="flash card" aria-labelledby={`${id}-title`}>
      <h3 id={`${id}-title`}>Flash the firmware</h3>
      <p class="muted">Puts esp32gpt on an ESP32 at a USB port: choose the image of a release, then the port.</p>
      <fieldset disabled={isBusy}>
        <legend>Which image</legend>
        {images.map((image) => (
          <label key={image.file}>
            <input
              type="radio"
              name={`${id}-image`}
              checked={picked.value === image.file}
              onChange={() => chooseListed(image)}
            />
            <span>
              {image.name}
              <small>
                {" "}
                esp32gpt {image.version} {image.codename}, {formatSize(image.bytes)}
              </small>
            </span>
          </label>
        ))}
        <label class="flash-file">
          <span>{images.length > 0 ? "or one of your own (-full.bin)" : "A full image (-full.bin)"}</span>
          <input
            ref={fileInput}
            type="file"
            accept=".bin"
            onChange={(event) => chooseFile(event.currentTarget.files?.[0])}
          />
        </label>
      </fieldset>
      {images.length > 0 && <Licence source={source} />}
      {chosen && <Facts {...chosen} isEraseAll={isEraseAll.value} />}
      <label>
        <input
          type="checkbox"
          checked={isEraseAll.value}
          disabled={isBusy}
          onChange={(event) => (isEraseAll.value = event.currentTarget.checked)}
        />
        <span>Erase everything first: the board’s checkpoint and its own words are gone for good</span>
      </label>
      <p class="flash-buttons">
        {/* Not disabled while it works, lest the keyboard lose its place. */}
        <button
          type="button"
          disabled={!chosen}
          aria-disabled={isBusy}
          onClick={() => chosen && !isBusy && void start(chosen)}
        >
          Flash the board
        </button>
        {isCancelable && (
          <button type="button" onClick={() => cancel.value?.abort()}>
            Cancel
          </button>
        )}
      </p>
      {progress.value && <Bar {...progress.value} />}
      <p role="status" class={message.value.kind}>
        {message.value.text}
      </p>
    </section>
  );
}

function Facts({ name, image, isEraseAll }: Choice & { isEraseAll: boolean }) {
  const version = image.version && `, version ${image.version}`;
  return (
    <p>
      {printable(name)}: {image.chip.name}, {image.flashSize / 2 ** 20} MB of flash{version},{" "}
      {formatSize(image.bytes.length)}, written at 0.{" "}
      <strong class={image.isStorageKept && !isEraseAll ? "good" : "bad"}>{fate(image, isEraseAll)}</strong>
    </p>
  );
}

/** What becomes of the checkpoint on the board. */
function fate(image: Image, isEraseAll: boolean): string {
  if (isEraseAll) return "The board’s own checkpoint will be lost.";
  if (image.isStorageKept)
    return "The board’s own checkpoint survives, if esp32gpt for this size of flash is on it already.";
  if (image.storage) return "The image covers the board’s file system: its own checkpoint will be lost.";
  return "The image has no file system for a checkpoint: one on the board will be of no use.";
}

function Bar({ stage, done }: Progress) {
  const id = useId();
  const percent = done === undefined ? undefined : Math.floor(100 * done);
  return (
    <p class="flash-progress">
      <label for={id}>
        {STAGES[stage]}
        {percent === undefined ? " …" : `: ${percent} %`}
      </label>
      <progress id={id} max={100} value={percent} />
    </p>
  );
}

/** What the licence of a part of the images asks of those who pass them on. */
function Licence({ source }: { source: string }) {
  return (
    <p class="flash-licence">
      These images contain esp32gpt (MIT) and the runtime of the Moddable SDK, which is under the{" "}
      <a href="licenses/LGPL-3.0.txt">LGPL 3</a> and the <a href="licenses/GPL-3.0.txt">GPL 3</a> that it builds on: you
      may put a changed one in its place. <a href="licenses/images.txt">How, and where the SDK’s source is</a>
      {source && (
        <>
          ; <a href={source}>the source of esp32gpt</a>
        </>
      )}
      .
    </p>
  );
}

interface Message {
  readonly text: string;
  readonly kind?: "good" | "bad";
}

/** What went wrong, for the user. Cancelling is no mistake. */
function failure(error: unknown): Message {
  if (error instanceof InputError) return { text: error.message, kind: "bad" };
  if (error instanceof DOMException && error.name === "AbortError")
    return { text: "Cancelled: nothing was written, and the board restarts." };
  if (error instanceof DOMException)
    return { text: `The browser does not allow it: ${printable(error.message)}`, kind: "bad" };
  throw error;
}

function formatSize(bytes: number): string {
  return `${Math.round(bytes / 1024).toLocaleString("en")} KB`;
}
