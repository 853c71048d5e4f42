/* Flashing: what the board is, which image suits it, how far it is. It goes on while another pane is shown. */
import { signal } from "@preact/signals";
import {
  type FlashOptions,
  type Found,
  misfit,
  type Order,
  OUTCOMES,
  type Stage,
  type Storage,
} from "../../src/flasher/flash";
import { type Image, readImage } from "../../src/flasher/image";
import { InputError, printable } from "../../src/gpt/base/errors";
import { flash } from "./flash";
import { type Index, type Listed, NO_IMAGES } from "./image-index";
import { fetchImage, fetchIndex, FLASH_SIZES, sha256 } from "./images";

/** Lends a port, closed, to flash through: BoardSession. */
export interface PortLender {
  /** Whether a port is in use. */
  readonly isConnected: boolean;
  lend<T>(work: (port: SerialPort) => Promise<T>): Promise<T | undefined>;
  takeBack(isToConnect: boolean): Promise<void>;
}

export interface ChosenImage {
  readonly name: string;
  readonly image: Image;
}

export interface FlashProgress {
  readonly stage: Stage;
  readonly done: number | undefined;
}

export interface FlashMessage {
  readonly text: string;
  readonly isBad?: boolean;
}

export class FlashSession {
  /** Whether the part that flashes is shown. */
  readonly isOpen = signal(false);
  /** What the board is; undefined as long as it was not asked. */
  readonly found = signal<Found | undefined>(undefined);
  readonly index = signal<Index>(NO_IMAGES);
  /** The file in images/ that is being fetched or has been; "" for one from disk. */
  readonly picked = signal("");
  readonly choice = signal<ChosenImage | undefined>(undefined);
  readonly isEraseAll = signal(false);
  /** How far the work is; undefined while there is none. */
  readonly progress = signal<FlashProgress | undefined>(undefined);
  readonly message = signal<FlashMessage>({ text: "" });
  private controller = new AbortController();
  private working: Promise<Storage | undefined> | undefined;
  /** Gives the board that waits the image to write. */
  private order: ((order: Order) => void) | undefined;
  /** Counts the choices, so that a slow download does not take the place of a later one. */
  private choices = 0;
  private indexed: Promise<void> | undefined;
  /** Whether the board is to be connected again when flashing is given up. */
  private wasConnected = false;

  constructor(private readonly lender: PortLender) {}

  /** Begins: finds out what the board is. To be called at a click, so that the browser may let the user choose a port. */
  async begin(): Promise<void> {
    this.open();
    await this.find();
    // Who chose no port is at the doors again.
    if (!this.choice.value && this.message.value.text === "") this.isOpen.value = false;
  }

  /**
   * Finds out what the board is and proposes an image for it; the board then waits for flash(). Resolves when it is
   * flashed, or that has failed or was given up.
   */
  async find(): Promise<void> {
    if (this.working) return;
    this.wasConnected ||= this.lender.isConnected;
    this.working = this.work();
    const storage = await this.working;
    this.working = undefined;
    if (!storage) return;
    this.message.value = { text: `The board is flashed and restarts. ${OUTCOMES[storage]}` };
    this.forget();
    await this.lender.takeBack(true);
  }

  /** Writes the chosen image; then the board restarts and is connected. */
  flash(): void {
    const chosen = this.choice.value;
    if (!chosen || !this.order) return;
    this.message.value = { text: "" };
    this.progress.value = { stage: "writing", done: undefined };
    this.order({ image: chosen.image, isEraseAll: this.isEraseAll.value });
    this.order = undefined;
  }

  /** Takes an image file: one that was chosen, or dropped. */
  async takeImage(file: File): Promise<void> {
    // What is being written is not changed any more.
    if (this.progress.value && this.found.value) return;
    if (!this.isOpen.value) this.open();
    this.picked.value = "";
    await this.choose(file.name, async () => readImage(new Uint8Array(await file.arrayBuffer()), file.name, sha256));
  }

  /** Takes an image that lies beside the page. */
  async takeListed(listed: Listed): Promise<void> {
    this.picked.value = listed.file;
    await this.choose(listed.file, () => fetchImage(listed));
  }

  /** Cancels what runs, as long as nothing has been written. */
  cancel(): void {
    this.controller.abort();
  }

  /** Gives up flashing, as long as nothing has been written. */
  async close(): Promise<void> {
    this.cancel();
    await this.working;
    this.message.value = { text: "" };
    this.forget();
    await this.lender.takeBack(this.wasConnected);
  }

  /** Why the chosen image does not suit the board that was found; undefined if it does, as far as is known. */
  get trouble(): string | undefined {
    const [found, chosen] = [this.found.value, this.choice.value];
    return found && chosen && misfit(found, chosen.image);
  }

  /** The images beside the page that suit the board, for the largest flash first. */
  get suitable(): readonly Listed[] {
    const found = this.found.value;
    if (!found) return [];
    const size = found.flashSize ?? Infinity;
    return this.index.value.images
      .filter((image) => image.chip === found.chip?.key && FLASH_SIZES[image.flash] <= size)
      .sort((a, b) => FLASH_SIZES[b.flash] - FLASH_SIZES[a.flash]);
  }

  private open(): void {
    this.isOpen.value = true;
    this.wasConnected = false;
    this.message.value = { text: "" };
    this.isEraseAll.value = false;
    this.indexed = fetchIndex().then(
      (index) => void (this.index.value = index),
      (error: unknown) => void (this.message.value = messageOf(error)),
    );
  }

  private forget(): void {
    this.isOpen.value = false;
    this.found.value = this.choice.value = undefined;
    this.picked.value = "";
    this.choices++;
  }

  private async propose(found: Found): Promise<void> {
    await this.indexed;
    const [proposed] = this.suitable;
    // What the user has chosen stays.
    if (this.found.value === found && proposed && !this.choice.value) await this.takeListed(proposed);
  }

  private async choose(name: string, load: () => Promise<Image>): Promise<void> {
    const number = ++this.choices;
    this.choice.value = undefined;
    this.message.value = { text: `Reading ${printable(name)} …` };
    try {
      const image = await load();
      if (number !== this.choices) return;
      this.choice.value = { name, image };
      this.message.value = { text: "" };
    } catch (error) {
      if (number === this.choices) this.message.value = messageOf(error);
    }
  }

  /** Flashes through the lent port; undefined on failure, which becomes the message, and without a port. */
  private async work(): Promise<Storage | undefined> {
    const controller = (this.controller = new AbortController());
    this.message.value = { text: "" };
    let isOver = false;
    const onProgress: FlashOptions["onProgress"] = (stage, done) => {
      // What is left of work on a cable that was pulled may still tell how far it is.
      if (!isOver) this.progress.value = { stage, done };
    };
    try {
      return await this.lender.lend(async (port) => {
        try {
          return await flash(port, (found) => this.decide(found), { signal: controller.signal, onProgress });
        } catch (error) {
          this.message.value = messageOf(error);
          return undefined;
        }
      });
    } finally {
      isOver = true;
      this.progress.value = this.found.value = this.order = undefined;
    }
  }

  /** Waits for flash(), with the board in its loader. */
  private decide(found: Found): Promise<Order> {
    const { signal } = this.controller;
    this.progress.value = undefined;
    this.found.value = found;
    void this.propose(found);
    return new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(new InputError("Flashing was given up.")));
      this.order = resolve;
    });
  }
}

/** What went wrong, for the user. Cancelling is no mistake. */
function messageOf(error: unknown): FlashMessage {
  if (error instanceof InputError) return { text: error.message, isBad: true };
  if (error instanceof DOMException && error.name === "AbortError")
    return { text: "Cancelled: nothing was written, and the board restarts." };
  if (error instanceof DOMException)
    return { text: `The browser does not allow it: ${printable(error.message)}`, isBad: true };
  throw error;
}
