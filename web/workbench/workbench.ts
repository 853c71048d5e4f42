import { signal } from "@preact/signals";
import { InputError } from "../../src/gpt/base/errors";
import { SETTINGS } from "../../src/gpt/base/settings";
import type { LossCurve } from "../../src/jobs/loss-curve";
import {
  type Choice,
  DEFAULT_CHOICE,
  formatAddress,
  formatSpeed,
  parseAddress,
  parseSpeed,
  settingsOf,
  type Speed,
} from "./address";
import { readChoice } from "./checkpoints";
import { saveWhenLeft } from "./leaving";
import { isOwn, ListFiles } from "./list-files";
import { hasList, listFromFragment, listToFragment } from "./list-link";
import { Claims } from "./claims";
import { PassingError } from "./passing-error";
import * as kept from "./run-store";
import { Run } from "./run";
import type { List } from "./lists";
import { readFile, tooLarge } from "./read-file";
import type { StepRecording } from "../worker/step-recording";

/** Maximum number of earlier curves in the chart. */
const MAX_EARLIER = 2;
/** A changed choice is prepared after this time without another change. */
const DEBOUNCE_MS = 250;
/** Duration of a training at the default speed, in seconds. */
const RUN_SECONDS = 12;
/** Maximum size of a custom dataset, in bytes. */
const LARGEST_LIST = 16 << 20;
/** Maximum size of a checkpoint, in bytes. */
const LARGEST_CHECKPOINT = 64 << 20;

/** The curve of an earlier training. */
export interface EarlierCurve {
  readonly list: string;
  readonly name: string;
  readonly curve: LossCurve;
}

/** Options of preparing a training. */
interface Preparation {
  /** Whether to discard what is saved of this training and to replace the current one. */
  readonly isAfresh?: boolean;
  /** Whether to replace the current training by what is saved of it. */
  readonly isAgain?: boolean;
  readonly checkpoint?: { readonly file: string; readonly bytes: Uint8Array };
}

/** The state of the page: the choice, its training, and earlier ones. */
export class Workbench {
  readonly choice = signal<Choice>(DEFAULT_CHOICE);
  /** Why the choice cannot be trained, or "". */
  readonly problem = signal("");
  /** Whether the problem may not occur the next time. */
  readonly isPassing = signal(false);
  /** Why the last action failed, or "". */
  readonly trouble = signal("");
  readonly run = signal<Run | undefined>(undefined);
  /** A training of a newer choice than that of `run`; it replaces `run` when it is started. */
  readonly next = signal<Run | undefined>(undefined);
  /** Of the list of `run`. */
  readonly earlier = signal<readonly EarlierCurve[]>([]);
  readonly speed = signal<Speed>(undefined);
  private readonly lists = new ListFiles();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private turn = 0;
  private work: Promise<unknown> = Promise.resolve();
  /** The address of the last prepared choice. */
  private address = "";
  private readonly claims = new Claims((address, mayStore) => this.giveUp(address, mayStore));

  /**
   * Prepares the training in the address, or the last one if the address is empty.
   * @param query of the address
   * @param fragment of the address, which may carry a list
   */
  async open(query: string, fragment: string): Promise<void> {
    // Going back in the history must keep the current choice in the address.
    addEventListener("popstate", () => this.showAddress());
    saveWhenLeft(() => this.save());
    this.speed.value = parseSpeed(query);
    try {
      this.choice.value = parseAddress(query) ?? parseAddress(kept.recentAddresses()[0] ?? "") ?? DEFAULT_CHOICE;
    } catch (error) {
      this.trouble.value = sentenceOf(error);
    }
    if (hasList(fragment)) await this.takeLinkedList(fragment);
    await this.prepare();
  }

  private async takeLinkedList(fragment: string): Promise<void> {
    const bytes = await listFromFragment(fragment);
    if (bytes) {
      const list = await this.lists.add("the list of the link", bytes);
      this.choice.value = { ...this.choice.value, list };
    } else this.trouble.value = "The list in the link is damaged: ask for the link again.";
    // It is in the browser's storage now.
    location.hash = fragment.split("&")[0] ?? "";
  }

  /** The own list that is chosen, if it is one. */
  ownList(): kept.OwnList | undefined {
    return this.lists.own(this.choice.value.list);
  }

  /** A link that repeats the training; it carries an own list, if that is short. */
  async link(): Promise<string> {
    const own = this.ownList();
    const words = own && (await listToFragment(own.bytes));
    const url = new URL(location.href);
    url.search = formatAddress(this.choice.value) + formatSpeed(this.speed.value);
    url.hash = words === undefined ? "" : `train&${words}`;
    return url.href;
  }

  /** Runs an action of the user; a failure sets `trouble`. */
  attempt(work: Promise<unknown> | undefined): void {
    this.trouble.value = "";
    work?.catch((error: unknown) => (this.trouble.value = sentenceOf(error)));
  }

  /** Changes the choice, which is prepared after DEBOUNCE_MS without another change. */
  change(values: Choice["values"], list = this.choice.value.list): void {
    this.choice.value = { list, values: { ...this.choice.value.values, ...values } };
    this.trouble.value = "";
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.prepare(), DEBOUNCE_MS);
  }

  /** Chooses another list, with the settings that suit it. */
  takeList({ id, values }: List): void {
    const { n_layer = "", n_embd = "", n_head = "", block_size = "", seed = "" } = this.choice.value.values;
    this.choice.value = { list: id, values: { n_layer, n_embd, n_head, block_size, seed, ...values } };
    this.change({});
  }

  /**
   * Chooses a custom dataset.
   * @param file its name in messages
   */
  async takeOwnList(file: string, content: Blob): Promise<void> {
    let bytes;
    try {
      bytes = await readFile(file, content, LARGEST_LIST);
    } catch (error) {
      this.refuse(error);
      return;
    }
    this.change({}, await this.lists.add(file, bytes));
  }

  /** Chooses a custom dataset that was typed or pasted. */
  async takeOwnText(text: string): Promise<void> {
    const file = "your text";
    // Each character has one byte or more in UTF-8: encoding a text that is too long would block the page.
    if (text.length <= LARGEST_LIST) await this.takeOwnList(file, new Blob([text]));
    else this.refuse(tooLarge(file, LARGEST_LIST));
  }

  /** Starts or resumes the choice's training. */
  async start(): Promise<void> {
    await this.settle();
    if (this.next.value) await this.takeNext(this.next.value);
    else if (this.run.value?.isOver.value && !(await this.prepare({ isAfresh: true }))) return;
    await this.begin();
  }

  /** Prepares the choice once more, from what is saved of it, and goes on with it if it has begun. */
  async goOnFromSaved(): Promise<void> {
    const hadBegun = (this.run.value?.stepsDone.value ?? 0) > 0;
    if (!(await this.prepare({ isAgain: true }))) return;
    if (hadBegun && this.run.value?.isOver.value === false) await this.begin();
  }

  /** Prepares the choice once more after a failure that may have passed. */
  tryAgain(): Promise<boolean> {
    return this.prepare();
  }

  /** Starts the choice from its first step, with other settings. */
  async startAfresh(values: Choice["values"]): Promise<void> {
    this.choice.value = { ...this.choice.value, values: { ...this.choice.value.values, ...values } };
    if (await this.prepare({ isAfresh: true })) await this.begin();
  }

  /** Starts the choice with the next seed; the current curve stays in the chart. */
  async startFromAnotherSeed(): Promise<void> {
    const seed = Number(this.choice.value.values.seed ?? "") || SETTINGS.seed.default;
    await this.startAfresh({ seed: String((seed % SETTINGS.seed.most) + 1) });
  }

  /** The training of the next single step; undefined if there is none that can do one. */
  get ofNextStep(): Run | undefined {
    const run = this.next.value ?? this.run.value;
    if (!run || run.isOver.value || run.obstacle.value !== "") return undefined;
    // One that has not begun is of an earlier choice if the present one is refused.
    return this.problem.value !== "" && run.stepsDone.value === 0 ? undefined : run;
  }

  /** Does one step of the choice's training. */
  async step(): Promise<void> {
    await (await this.runToStep())?.step();
  }

  /** Does one step of the choice's training, and records it; see Requests. */
  async recordStep(layer: number): Promise<{ readonly run: Run; readonly recording: StepRecording } | undefined> {
    const run = await this.runToStep();
    return run && { run, recording: await run.recordStep(layer) };
  }

  private async runToStep(): Promise<Run | undefined> {
    await this.settle();
    if (this.next.value) await this.takeNext(this.next.value);
    const run = this.run.value;
    if (run) this.keep(run);
    return run;
  }

  setSpeed(speed: Speed): void {
    this.speed.value = speed;
    this.showAddress();
    const run = this.run.value;
    if (run) void run.ask("setSpeed", this.stepsPerSecond(run));
  }

  private stepsPerSecond({ ready }: Run): number {
    return this.speed.value ?? ready.steps / RUN_SECONDS;
  }

  /**
   * Loads a checkpoint, with its model shape and training settings.
   * @throws InputError (as a rejection) when it cannot be used; nothing changes then
   */
  async takeCheckpoint(file: string, content: Blob): Promise<void> {
    const bytes = await readFile(file, content, LARGEST_CHECKPOINT);
    await this.settle();
    const before = this.choice.value;
    this.choice.value = await readChoice(file, bytes, before, (id) => this.lists.of(id));
    await this.prepare({ checkpoint: { file, bytes } });
    const problem = this.problem.value;
    if (problem === "") return;
    this.choice.value = before;
    await this.prepare();
    throw new InputError(problem);
  }

  /** The current training as a safetensors file; undefined if nothing has been trained. */
  async checkpoint(): Promise<Uint8Array | undefined> {
    const run = this.run.value;
    return run && run.stepsDone.value > 0 ? run.ask("checkpoint") : undefined;
  }

  /** Waits until pending changes are prepared. */
  private async settle(): Promise<void> {
    if (this.timer !== undefined) await this.prepare();
    await this.work;
  }

  private async begin(): Promise<void> {
    const run = this.run.value;
    if (!run) return;
    this.keep(run);
    await run.ask("setSpeed", this.stepsPerSecond(run));
    await run.resume();
  }

  /** Prepares the choice; resolves to whether it succeeded and the choice is still the same. */
  private prepare(preparation: Preparation = {}): Promise<boolean> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const work = this.prepareNow(++this.turn, preparation);
    this.work = work;
    return work;
  }

  private async prepareNow(
    turn: number,
    { isAfresh = false, isAgain = false, checkpoint }: Preparation,
  ): Promise<boolean> {
    const choice = this.choice.value;
    const isAtOnce = isAfresh || isAgain || checkpoint !== undefined;
    try {
      const address = formatAddress(choice);
      settingsOf(choice);
      const { file, bytes } = await this.lists.of(choice.list);
      if (isAtOnce || !this.run.value || this.run.value.stepsDone.value === 0) await this.claims.claim(address);
      const shown = isAfresh || checkpoint ? undefined : await kept.readSavedView(address);
      const beginning = {
        settings: choice.values,
        names: bytes,
        namesFile: file,
        folder: kept.folderOf(address),
        isAfresh,
        ownWords: checkpoint ? [] : this.ownWordsFor(choice),
        shown,
        ...(checkpoint && { checkpoint }),
      };
      const run = await Run.begin(beginning, choice);
      if (turn !== this.turn) {
        run.end();
        return false;
      }
      this.problem.value = "";
      this.isPassing.value = false;
      this.address = address;
      this.showAddress();
      if (isAgain) this.replace(run);
      else this.place(run, isAtOnce);
      return true;
    } catch (error) {
      if (turn === this.turn) this.refuse(error);
      return false;
    }
  }

  private showAddress(): void {
    if (this.address !== "")
      history.replaceState(null, "", `?${this.address}${formatSpeed(this.speed.value)}${location.hash}`);
  }

  /** A prepared training replaces one that has not started; otherwise it waits as `next`. */
  private place(run: Run, isAtOnce: boolean): void {
    const present = this.run.value;
    this.next.value?.end();
    this.next.value = undefined;
    const isSame = present && formatAddress(present.choice) === formatAddress(run.choice);
    if (isAtOnce || !present || present.stepsDone.value === 0) this.takeOver(run);
    else if (isSame) run.end();
    else this.next.value = run;
  }

  /** Starts with a prepared training, or with what another tab, which gives it up, has made of it. */
  private async takeNext(next: Run): Promise<void> {
    if (await this.claims.claim(formatAddress(next.choice))) await this.prepare({ isAgain: true });
    else this.takeOver(next);
  }

  private takeOver(run: Run): void {
    const present = this.run.value;
    const earlier = [...this.earlier.value];
    if (present && present.stepsDone.value > 0 && present.curve.points.length > 0) {
      const { list } = present.choice;
      earlier.push({ list, name: `${nameOf(list)}, seed ${present.seed}`, curve: present.curve });
    }
    this.earlier.value = earlier.filter(({ list }) => list === run.choice.list).slice(-MAX_EARLIER);
    this.replace(run);
  }

  private replace(run: Run): void {
    this.run.value?.end();
    if (this.next.value !== run) this.next.value?.end();
    this.next.value = undefined;
    this.run.value = run;
    this.claims.keepOnly(formatAddress(run.choice));
    if (run.stepsDone.value > 0) this.keep(run);
  }

  /** Keeps what is saved of this training in the browser from now on. */
  private keep(run: Run): void {
    void kept.remember(formatAddress(run.choice));
  }

  /** Another tab goes on with a training. */
  private async giveUp(address: string, mayStore: boolean): Promise<void> {
    const run = this.run.value;
    if (run && formatAddress(run.choice) === address) await run.giveUp(mayStore).catch(() => undefined);
  }

  /** Begins to save the training; returns its number of parameters, undefined if there is nothing to save. */
  private save(): number | undefined {
    const run = this.run.value;
    if (!run?.isBusy) return undefined;
    void run.ask("save").catch(() => undefined);
    return run.ready.parameters;
  }

  /** To be called when words of the user were added to the present training, or removed: they last as it does. */
  ownWordsChanged(): void {
    const run = this.run.value;
    if (run) this.keep(run);
    // The one that waits has still the words of before.
    if (this.next.value) this.change({});
  }

  /** The words of the user go along while the list is the same. */
  private ownWordsFor({ list }: Choice): readonly string[] {
    const present = this.run.value;
    return present?.choice.list === list ? present.ownWords.value.map(({ word }) => word) : [];
  }

  /** @throws errors that are not InputErrors */
  private refuse(error: unknown): void {
    this.problem.value = sentenceOf(error);
    this.isPassing.value = error instanceof PassingError;
    this.next.value?.end();
    this.next.value = undefined;
  }
}

function nameOf(list: string): string {
  return isOwn(list) ? "your list" : list;
}

/** @throws errors that are not InputErrors */
function sentenceOf(error: unknown): string {
  if (!(error instanceof InputError)) throw error;
  return error.message;
}
