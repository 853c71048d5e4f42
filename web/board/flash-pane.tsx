/* The part of the page that flashes a board: what it is, which image suits it, what becomes of what is on it. */
import { useEffect, useId, useRef } from "preact/hooks";
import { type Found, STAGES } from "../../src/flasher/flash";
import { printable } from "../../src/gpt/base/errors";
import "./flash.css";
import type { ChosenImage, FlashProgress, FlashSession } from "./flash-session";
import type { Listed } from "./image-index";

export function FlashPane({ flashing }: { readonly flashing: FlashSession }) {
  const { found, choice, isEraseAll, progress } = flashing;
  const id = useId();
  const title = useRef<HTMLHeadingElement>(null);
  // The button that led here is gone.
  useEffect(() => title.current?.focus(), []);
  const isBusy = progress.value !== undefined;
  const isCancelable = progress.value?.stage === "connecting";
  const { trouble } = flashing;
  const chosen = choice.value;
  return (
    <section class="flash card" aria-labelledby={`${id}-title`}>
      <h3 id={`${id}-title`} tabIndex={-1} ref={title}>
        Put esp32gpt on a board
      </h3>
      {found.value && <Board {...found.value} />}
      {chosen && <Facts {...chosen} isEraseAll={isEraseAll.value} trouble={trouble} />}
      {found.value && !chosen && flashing.suitable.length === 0 && (
        <p>
          There is no image for it beside this page: choose a full image (<code>-full.bin</code>) of a release from your
          disk.
        </p>
      )}
      {progress.value && <Bar {...progress.value} />}
      <p class="flash-buttons">
        {found.value ? (
          chosen &&
          trouble === undefined && (
            // Not disabled while it works, lest the keyboard lose its place.
            <button type="button" class="primary" aria-disabled={isBusy} onClick={() => !isBusy && flashing.flash()}>
              Flash
            </button>
          )
        ) : (
          <button type="button" class="primary" aria-disabled={isBusy} onClick={() => !isBusy && void flashing.find()}>
            Find my board
          </button>
        )}
        {isCancelable && (
          <button type="button" onClick={() => flashing.cancel()}>
            Cancel
          </button>
        )}
        {!isBusy && (
          <button type="button" onClick={() => void flashing.close()}>
            Back
          </button>
        )}
      </p>
      {found.value && <Choices flashing={flashing} isBusy={isBusy} />}
      {flashing.suitable.length > 0 && <Licence source={flashing.index.value.source} />}
    </section>
  );
}

function Board({ chip, name, flashSize }: Found) {
  const size = flashSize === undefined ? "" : ` with ${flashSize / 2 ** 20} MB of flash`;
  return (
    <p>
      Your board has an <strong>{name}</strong>
      {size}
      {chip ? "." : ": there is no esp32gpt for this chip."}
    </p>
  );
}

/** Another image than the proposed one, and the choice to erase all. */
function Choices({ flashing, isBusy }: { readonly flashing: FlashSession; readonly isBusy: boolean }) {
  const { picked, isEraseAll, suitable } = flashing;
  const fileInput = useRef<HTMLInputElement>(null);
  const id = useId();
  const takeListed = (listed: Listed): void => {
    if (fileInput.current) fileInput.current.value = "";
    void flashing.takeListed(listed);
  };
  return (
    <details open={suitable.length === 0}>
      <summary>Another image, or a fresh start</summary>
      <fieldset disabled={isBusy}>
        <legend>Which image</legend>
        {suitable.map((image) => (
          <label key={image.file}>
            <input
              type="radio"
              name={`${id}-image`}
              checked={picked.value === image.file}
              onChange={() => takeListed(image)}
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
          <span>{suitable.length > 0 ? "or one of your own (-full.bin)" : "A full image (-full.bin)"}</span>
          <input
            ref={fileInput}
            type="file"
            accept=".bin"
            onChange={({ currentTarget }) => {
              const file = currentTarget.files?.[0];
              // Who gives up choosing one keeps what was chosen before.
              if (file) void flashing.takeImage(file);
            }}
          />
        </label>
        <label>
          <input
            type="checkbox"
            checked={isEraseAll.value}
            onChange={({ currentTarget }) => (isEraseAll.value = currentTarget.checked)}
          />
          <span>Erase everything first: the board’s checkpoint and its own words are gone for good</span>
        </label>
      </fieldset>
    </details>
  );
}

interface FactsProps extends ChosenImage {
  readonly isEraseAll: boolean;
  readonly trouble: string | undefined;
}

function Facts({ name, image, isEraseAll, trouble }: FactsProps) {
  const version = image.version && `, version ${image.version}`;
  return (
    <>
      <p>
        The image: {printable(name)}, for {image.chip.name}, {image.flashSize / 2 ** 20} MB of flash{version},{" "}
        {formatSize(image.bytes.length)}. {trouble === undefined && <strong>{fate(image, isEraseAll)}</strong>}
      </p>
      {trouble !== undefined && <p class="bad">{trouble}: choose another image.</p>}
    </>
  );
}

/** What becomes of the checkpoint on the board. */
function fate({ isStorageKept, storage }: ChosenImage["image"], isEraseAll: boolean): string {
  if (isEraseAll) return "The board’s own checkpoint will be lost.";
  if (isStorageKept) return "The board’s own checkpoint survives, if esp32gpt for this size of flash is on it already.";
  if (storage) return "The image covers the board’s file system: its own checkpoint will be lost.";
  return "The image has no file system for a checkpoint: one on the board will be of no use.";
}

function Bar({ stage, done }: FlashProgress) {
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
function Licence({ source }: { readonly source: string }) {
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

function formatSize(bytes: number): string {
  return `${Math.round(bytes / 1024).toLocaleString("en")} KB`;
}
