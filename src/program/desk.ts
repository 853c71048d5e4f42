import { benchmark } from "./benchmark";
import type { Controls, NumberKey } from "./console";
import type { Device } from "./device";
import { InputError } from "../errors";
import { Evaluation } from "./evaluation";
import { SPACE } from "../data/characters";
import { checkWord } from "../data/fitting";
import { Generator } from "../model/generate";
import type { Keeper } from "./keeping";
import { DEFAULT_SHARE, OwnWords } from "../data/own-words";
import { planMemory } from "../plan";
import { Random, siblingSeed } from "../model/random";
import type { Task } from "./runner";
import type { Transfer } from "./transfer";
import { Writing } from "./writing";

/** Names between two events of progress. */
const PROGRESS_NAMES = 1000;

/** What a console can ask of a device. */
export class Desk implements Controls {
  /** Its stream is its own: asking for names does not change what training does. */
  private readonly generator: Generator;
  /** Whether something writes, measures or times: one at a time. */
  private isBusy = false;

  constructor(private readonly device: Device) {
    const { trainer, seed } = device;
    this.generator = new Generator(trainer.model, new Random(siblingSeed(seed)));
  }

  status(): string {
    const { trainer, state } = this.device;
    const { stepsDone, config, totalSteps, lastLoss, dataset } = trainer;
    const loss = lastLoss === undefined ? "" : `, loss ${lastLoss.toFixed(4)}`;
    const all = totalSteps === stepsDone ? "" : `, ${totalSteps} in all`;
    const own = dataset.own?.count ? `, ${dataset.own.count} words of your own` : "";
    return `Step ${stepsDone} of ${config.steps}${all}${loss}${own}; ${state}.`;
  }

  version(): string {
    const { settings, platform } = this.device.place;
    return `Version ${settings.version} "${settings.codename}" on ${platform.place}.`;
  }

  plan(): readonly string[] {
    const { trainer, place } = this.device;
    const plan = planMemory(trainer.model.config, trainer.dataset.indexBytes);
    const room = place.platform.room();
    const row = (name: string, bytes: number): string => `${name.padEnd(36)}${String(bytes).padStart(8)}`;
    return [
      ...plan.buffers.map(({ name, bytes }) => row(name, bytes)),
      row("buffers in all", plan.bufferBytes),
      ...plan.others.map(({ name, bytes }) => row(name, bytes)),
      `XS takes ${plan.total} bytes: chunks ${plan.chunks}, slots ${plan.slots}, stack ${plan.stack}.`,
      ...(room ? [`It can have ${room.total}; the largest piece that is free has ${room.largestPiece}.`] : []),
    ];
  }

  reboot(): Promise<void> {
    const { reboot, platform } = this.device.place;
    if (!reboot) throw new InputError(`A program on ${platform.place} cannot be rebooted.`);
    // Behind a save that waits.
    return this.device.whileResting(reboot);
  }

  // --- training ---

  train(steps?: number): Promise<void> | undefined {
    const { device } = this;
    const { trainer } = device;
    if (steps === undefined && device.isUnderWay) {
      this.resume();
      return undefined;
    }
    if (device.isTraining)
      throw new InputError(`It is training, step ${trainer.stepsDone} of ${trainer.config.steps}: pause first.`);
    return device.whileResting(() => {
      const { steps: length, learningRate } = device.schedule(steps);
      trainer.abandonBatch();
      trainer.beginSchedule(length, learningRate);
      device.tellStart(true);
      device.goOn(true);
    });
  }

  step(count: number): Promise<void> {
    this.checkUnderWay();
    return this.device.step(count);
  }

  pause(): void {
    this.checkUnderWay();
    this.device.pause();
    this.device.say(`Paused: ${this.status()}`);
  }

  resume(): void {
    this.checkUnderWay();
    this.device.resume();
    this.device.say(`Going on: ${this.status()}`);
  }

  private checkUnderWay(): void {
    if (!this.device.isUnderWay) throw new InputError("The training is over: train N goes on for N steps.");
  }

  reset(): Promise<void> {
    const { device } = this;
    return device.whileResting(() => {
      const { steps, learningRate } = device.schedule();
      device.trainer.beginSchedule(steps, learningRate);
      device.drawWeights();
      device.goOn(false);
    });
  }

  // --- names ---

  generate(count: number, temperature = this.device.temperature, prefix = ""): Promise<void> {
    this.checkLoaded();
    // At the end of a line a space means something only where names have spaces.
    if (this.device.trainer.model.vocabulary.tokenOf(SPACE) === 0) prefix = prefix.trim();
    this.generator.checkPrefix(prefix);
    const write = (name: string, number: number): void =>
      this.device.log.tell({ type: "name", number, name, isAnswer: true });
    const writing = new Writing(this.generator, count, temperature, prefix, write);
    return this.alone(() => this.device.runPaced(writing)).then(() => undefined);
  }

  evaluate(ofOwn: boolean): Promise<void> {
    const { log, trainer } = this.device;
    const { model, dataset, holdout } = trainer;
    this.checkLoaded();
    const { own } = dataset;
    const words = own?.count ?? 0;
    if (ofOwn && words === 0) throw new InputError("There are no words of your own: add some.");
    const changes = own?.changes;
    const indices = ofOwn ? Uint32Array.from({ length: words }, (_, i) => dataset.count + i) : undefined;
    const evaluation = new Evaluation(model, dataset, indices, ofOwn ? undefined : holdout);
    const { total } = evaluation;
    const task: Task = {
      work() {
        if (ofOwn && (dataset.own !== own || own?.changes !== changes))
          throw new InputError("Your words have changed meanwhile: eval again.");
        const isMore = evaluation.work();
        if (evaluation.done % PROGRESS_NAMES === 0) log.tell({ type: "progress", done: evaluation.done, total });
        return isMore;
      },
    };
    return this.alone(() => this.device.runToCut(task)).then((isWhole) => {
      if (!isWhole) throw new InputError(`Stopped after ${evaluation.done} of ${total} names.`);
      log.tell(evaluation.result);
    });
  }

  bench(): Promise<void> {
    const { device } = this;
    const { trainer, place } = device;
    const run = (task: Task): Promise<boolean> => device.runToCut(task);
    return this.alone(() =>
      device.whileResting(() => {
        trainer.abandonBatch();
        return benchmark(trainer, place.provideOps, place.platform, run, (text) => device.say(text));
      }),
    );
  }

  stop(): void {
    this.device.cut();
  }

  /** What a checkpoint is about to replace must not be used or changed. */
  private checkLoaded(): void {
    if (this.device.isLoading) throw new InputError("It is loading: try again in a moment.");
  }

  private alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.isBusy) throw new InputError("What was asked for before is still under way: stop ends it.");
    this.isBusy = true;
    return work().finally(() => (this.isBusy = false));
  }

  // --- words of one's own ---

  add(word: string): void {
    const { model } = this.device.trainer;
    this.checkLoaded();
    checkWord(model, word);
    this.changeWords((own) => own.add(word));
  }

  forget(word: string): void {
    this.checkLoaded();
    this.changeWords((own) => own.forget(word));
  }

  private changeWords(change: (own: OwnWords) => void): void {
    const { device } = this;
    const { trainer } = device;
    const own = trainer.dataset.own ?? new OwnWords();
    change(own);
    trainer.dataset.own = own;
    // A batch is drawn from the same words from its first name to its last.
    trainer.abandonBatch();
    void device.saveSoon();
  }

  get wordCount(): number {
    return this.device.trainer.dataset.own?.count ?? 0;
  }

  async words(): Promise<void> {
    const words = this.device.trainer.dataset.own?.text.split("\n").slice(0, -1) ?? [];
    let number = 0;
    const { tell } = this.device.log;
    const isWhole = await this.device.runPaced({
      work() {
        if (number < words.length) tell({ type: "word", text: words[number], number: ++number });
        return number < words.length;
      },
    });
    if (!isWhole) throw new InputError("Stopped.");
  }

  // --- values ---

  get values(): Readonly<Record<string, string | number>> {
    const { log, temperature, intervals, trainer } = this.device;
    return {
      log: log.isJson ? "json" : "text",
      log_every: intervals.logEvery,
      save_every: intervals.saveEvery,
      temperature,
      own_share: trainer.dataset.own?.share ?? DEFAULT_SHARE,
    };
  }

  setLog(isJson: boolean): void {
    this.device.setLog(isJson);
  }

  setNumber(key: NumberKey, value: number): void {
    const { device } = this;
    switch (key) {
      case "log_every": {
        device.setLogEvery(value);
        return;
      }
      case "save_every": {
        device.setSaveEvery(value);
        return;
      }
      case "temperature":
        device.temperature = value;
        return;
      case "own_share":
        this.checkLoaded();
        this.changeWords((own) => (own.share = value));
    }
  }

  // --- checkpoints ---

  save(): Promise<void> {
    const { device } = this;
    const keeper = this.keeper;
    if (device.transfer?.isFetching)
      throw new InputError("The checkpoint is being fetched: try again when that has ended.");
    return device.whileResting(() => device.saving(() => keeper.save(device.seed)));
  }

  load(): Promise<void> {
    const { device, keeper } = this;
    return device.whileLoading(async () => {
      const seed = await keeper.restore();
      if (seed === undefined) throw new InputError("There is no checkpoint yet: save makes one.");
      device.seed = seed;
    });
  }

  // --- checkpoints over the cable: see transfer.ts ---

  fetch(): Promise<void> {
    const { transfer } = this;
    transfer.endFetch();
    return this.save().then(() => transfer.beginFetch());
  }

  chunk(at: number, count: number): Promise<void> {
    return this.transfer.chunk(at, count);
  }

  fetched(): void {
    this.transfer.endFetch();
    this.device.saveWhatWaited();
  }

  receive(size: number): Promise<number> {
    return this.transfer.receive(size);
  }

  data(at: number, base64: string): number {
    return this.transfer.data(at, base64);
  }

  async received(): Promise<void> {
    const { transfer } = this;
    if (transfer.isFetching) throw new InputError("The checkpoint is being fetched: try again when that has ended.");
    await transfer.received();
    await this.adopt();
  }

  /** Takes over what lies in storage as received.safetensors, and saves it. */
  async adopt(): Promise<void> {
    const { device, keeper } = this;
    await device.whileLoading(async () => {
      const seed = await keeper.adopt();
      if (seed === undefined) device.say("Its training is another one: the weights alone are taken.");
      else device.seed = seed;
    });
    try {
      await this.save();
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      throw new InputError(`It is loaded, but not stored. ${error.message}`);
    }
  }

  cancel(): void {
    this.transfer.cancel();
  }

  private get transfer(): Transfer {
    const { transfer } = this.device;
    if (!transfer) throw new InputError("There is no storage.");
    return transfer;
  }

  private get keeper(): Keeper {
    const { keeper } = this.device;
    if (!keeper) throw new InputError("There is no storage.");
    return keeper;
  }
}
