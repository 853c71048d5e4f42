import { signal } from "@preact/signals";
import { crc32, formatChecksum } from "../../src/gpt/base/crc32";
import { InputError, printable } from "../../src/gpt/base/errors";
import { SETTINGS } from "../../src/gpt/base/settings";
import type { LossCurve } from "../../src/jobs/loss-curve";
import { type Choice, DEFAULT_CHOICE, formatAddress, OWN, parseAddress, settingsOf } from "./address";
import { readChoice } from "./checkpoints";
import * as kept from "./run-store";
import { Run } from "./run";
import { type List, LISTS } from "./lists";
import { readFile } from "./read-file";

/** Curves of earlier trainings that stay in the chart. */
const MAX_EARLIER = 3;
/** Milliseconds without a change after which a choice is made ready. */
const DEBOUNCE_MS = 250;
/** Bytes of a list of one's own. */
const LARGEST_LIST = 16 << 20;
/** Bytes of a checkpoint. */
const LARGEST_CHECKPOINT = 64 << 20;

/** The curve of a training that was before. */
export interface EarlierCurve {
  readonly name: string;
  readonly curve: LossCurve;
}

/** How a training is made ready. */
interface Preparation {
  /** Whether it takes the place of the one that is there, and what is kept of it is forgotten. */
  readonly isAfresh?: boolean;
  readonly checkpoint?: { readonly file: string; readonly bytes: Uint8Array };
}

/** What is chosen, the training that it has become, and those before it. */
export class Workbench {
  readonly choice = signal<Choice>(DEFAULT_CHOICE);
  /** Why the choice cannot be trained. */
  readonly problem = signal("");
  /** Why what was asked for last could not be done. */
  readonly trouble = signal("");
  readonly run = signal<Run | undefined>(undefined);
  /** A training of another choice than that of `run`: it waits for its start. */
  readonly next = signal<Run | undefined>(undefined);
  readonly earlier = signal<readonly EarlierCurve[]>([]);
  /** Steps a second. */
  readonly speed = signal(Infinity);
  private readonly loaded = new Map<string, kept.OwnList>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private turn = 0;
  private work: Promise<unknown> = Promise.resolve();
  /** Of what was made ready last. */
  private address = "";

  /**
   * Makes ready what the address says, or where it says nothing the last training.
   * @param query of the address
   */
  async open(query: string): Promise<void> {
    // Who goes back to a place in the page comes with what is chosen now.
    addEventListener("popstate", () => this.showAddress());
    try {
      this.choice.value = parseAddress(query === "" ? (kept.recentAddresses()[0] ?? "") : query);
    } catch (error) {
      this.trouble.value = sentenceOf(error);
    }
    await this.prepare();
  }

  /** Does what somebody has asked for, and tells as `trouble` why it could not be done. */
  attempt(work: Promise<unknown> | undefined): void {
    this.trouble.value = "";
    work?.catch((error: unknown) => (this.trouble.value = sentenceOf(error)));
  }

  /** Changes the choice: it is made ready when nothing more has changed for a moment. */
  change(values: Choice["values"], list = this.choice.value.list): void {
    this.choice.value = { list, values: { ...this.choice.value.values, ...values } };
    this.trouble.value = "";
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.prepare(), DEBOUNCE_MS);
  }

  /** Takes another list, with what suits it. */
  takeList({ id, values }: List): void {
    const { n_layer = "", n_embd = "", n_head = "", block_size = "", seed = "" } = this.choice.value.values;
    this.choice.value = { list: id, values: { n_layer, n_embd, n_head, block_size, seed, ...values } };
    this.change({});
  }

  /**
   * Takes a list of the reader's own.
   * @param file what messages call it
   */
  async takeOwnList(file: string, content: Blob): Promise<void> {
    let bytes;
    try {
      bytes = await readFile(file, content, LARGEST_LIST);
    } catch (error) {
      this.refuse(error);
      return;
    }
    const id = `${OWN}-${formatChecksum(crc32(bytes))}`;
    const list = { file, bytes };
    this.loaded.set(id, list);
    this.change({}, id);
    await kept.saveList(id, list);
  }

  /** Trains on, or begins what is chosen. */
  async start(): Promise<void> {
    await this.settle();
    if (this.next.value) this.takeOver(this.next.value);
    else if (this.run.value?.isOver.value && !(await this.prepare({ isAfresh: true }))) return;
    await this.begin();
  }

  /** Begins what is chosen from another seed; the curve that is there stays beside it. */
  async startFromAnotherSeed(): Promise<void> {
    const seed = Number(this.choice.value.values.seed ?? "") || SETTINGS.seed.default;
    this.choice.value = { ...this.choice.value, values: { ...this.choice.value.values, seed: String(seed + 1) } };
    if (await this.prepare({ isAfresh: true })) await this.begin();
  }

  /** One step of what is chosen. */
  async step(): Promise<void> {
    await this.settle();
    if (this.next.value) this.takeOver(this.next.value);
    const run = this.run.value;
    if (!run) return;
    this.keep(run);
    await run.step();
  }

  setSpeed(stepsPerSecond: number): void {
    this.speed.value = stepsPerSecond;
    void this.run.value?.ask("setSpeed", stepsPerSecond);
  }

  /**
   * Takes over a checkpoint, with the shape and the training that it says.
   * @throws InputError (as a rejection) when it cannot be used; everything stays as it is
   */
  async takeCheckpoint(file: string, content: Blob): Promise<void> {
    const bytes = await readFile(file, content, LARGEST_CHECKPOINT);
    await this.settle();
    const before = this.choice.value;
    this.choice.value = await readChoice(file, bytes, before, (id) => this.listOf(id));
    await this.prepare({ checkpoint: { file, bytes } });
    const problem = this.problem.value;
    if (problem === "") return;
    this.choice.value = before;
    await this.prepare();
    throw new InputError(problem);
  }

  /** The training that is there as a safetensors file; undefined when nothing has been trained. */
  async checkpoint(): Promise<Uint8Array | undefined> {
    const run = this.run.value;
    return run && run.stepsDone.value > 0 ? run.ask("checkpoint") : undefined;
  }

  /** Until what was changed a moment ago is ready. */
  private async settle(): Promise<void> {
    if (this.timer !== undefined) await this.prepare();
    await this.work;
  }

  private async begin(): Promise<void> {
    const run = this.run.value;
    if (!run) return;
    this.keep(run);
    await run.ask("setSpeed", this.speed.value);
    await run.resume();
  }

  /** Resolves to whether it has come to that: the choice can be trained, and is still the same. */
  private prepare(preparation: Preparation = {}): Promise<boolean> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const work = this.prepareNow(++this.turn, preparation);
    this.work = work;
    return work;
  }

  private async prepareNow(turn: number, { isAfresh = false, checkpoint }: Preparation): Promise<boolean> {
    const choice = this.choice.value;
    try {
      const address = formatAddress(choice);
      settingsOf(choice);
      const { file, bytes } = await this.listOf(choice.list);
      const shown = isAfresh || checkpoint ? undefined : await kept.readSavedView(address);
      const beginning = {
        settings: choice.values,
        names: bytes,
        namesFile: file,
        folder: kept.folderOf(address),
        isAfresh,
        ...(checkpoint && { checkpoint }),
      };
      const run = await Run.begin(beginning, choice, shown);
      if (turn !== this.turn) {
        run.end();
        return false;
      }
      this.problem.value = "";
      this.address = address;
      this.showAddress();
      this.place(run, isAfresh || checkpoint !== undefined);
      return true;
    } catch (error) {
      if (turn === this.turn) this.refuse(error);
      return false;
    }
  }

  private showAddress(): void {
    if (this.address !== "") history.replaceState(null, "", `?${this.address}${location.hash}`);
  }

  /** A training that is ready takes the place of one that has not begun, or waits. */
  private place(run: Run, isAtOnce: boolean): void {
    const present = this.run.value;
    this.next.value?.end();
    this.next.value = undefined;
    const isSame = present && formatAddress(present.choice) === formatAddress(run.choice);
    if (isAtOnce || !present || present.stepsDone.value === 0) this.takeOver(run);
    else if (isSame) run.end();
    else this.next.value = run;
  }

  private takeOver(run: Run): void {
    const present = this.run.value;
    if (present && present.stepsDone.value > 0 && present.curve.points.length > 0) {
      const earlier = { name: `${present.choice.list}, seed ${present.seed}`, curve: present.curve };
      this.earlier.value = [...this.earlier.value, earlier].slice(-MAX_EARLIER);
    }
    present?.end();
    this.next.value = undefined;
    this.run.value = run;
    if (run.stepsDone.value > 0) this.keep(run);
  }

  /** It outlives the page, with everything that is saved of it from now on. */
  private keep(run: Run): void {
    const address = formatAddress(run.choice);
    run.saved = () => void kept.saveView(address, run.shown);
    run.saved();
    void kept.remember(address);
  }

  private async listOf(id: string): Promise<kept.OwnList> {
    const present = this.loaded.get(id);
    if (present) return present;
    const list = id.startsWith(`${OWN}-`) ? await kept.readList(id) : await fetchList(id);
    if (!list)
      throw new InputError(
        "The address names a list of somebody's own, which this browser does not have: give it here.",
      );
    this.loaded.set(id, list);
    return list;
  }

  /** @throws what is no fault of the user */
  private refuse(error: unknown): void {
    this.problem.value = sentenceOf(error);
    this.next.value?.end();
    this.next.value = undefined;
  }
}

/** @throws what is no fault of the user */
function sentenceOf(error: unknown): string {
  if (!(error instanceof InputError)) throw error;
  return error.message;
}

async function fetchList(id: string): Promise<kept.OwnList> {
  const list = LISTS.find((other) => other.id === id);
  if (!list)
    throw new InputError(`There is no list ${printable(id)}: there are ${LISTS.map((other) => other.id).join(", ")}.`);
  const response = await fetch(list.url).catch(() => undefined);
  if (!response?.ok) throw new InputError(`The list ${list.title} could not be loaded: try again.`);
  return { file: `${list.id}.txt`, bytes: new Uint8Array(await response.arrayBuffer()) };
}
