import { InputError } from "../../src/gpt/base/errors";
import { BOS } from "../../src/gpt/data/vocabulary";
import type { SamplingLimits } from "../../src/gpt/model/config";
import { Random, siblingSeed } from "../../src/gpt/model/random";
import type { Draw, Drawing } from "../worker/questions";
import { Refresher } from "./refresher";

/** Minimum interval between two questions to the model, in milliseconds. */
const PERIOD = 40;
/** Maximum number of finished words that are kept. */
const MAX_WORDS = 12;

/** A letter of the word; BOS ends it. */
export interface Letter {
  readonly token: number;
  /** Whether it was chosen in the place of the one that was drawn. */
  readonly isChosen: boolean;
}

/** How letters are drawn, and what the word begins with. */
export interface Sampling {
  readonly prefix: string;
  readonly temperature: number;
  readonly limits: SamplingLimits;
}

/** The draw of the letter to come, and the letters and the settings that it belongs to. */
export interface ComingLetter {
  readonly draw: Draw;
  readonly number: number;
  readonly letters: readonly Letter[];
  readonly sampling: Sampling;
}

/** What draws the letters: a run. */
export interface Drawer {
  readonly seed: number;
  ask(name: "draw", drawing: Drawing): Promise<Draw>;
}

/** A word that the model writes letter by letter. */
export class WordWriter {
  /** Behind the prefix. */
  letters: readonly Letter[] = [];
  /** The letter to come; undefined until the model has answered, or if it refuses. */
  coming: ComingLetter | undefined;
  isPlaying = false;
  /** Finished words, as tokens, the last one first. */
  words: readonly (readonly number[])[] = [];
  /** Why no letter can be drawn, or "". */
  refusal = "";
  private readonly random: Random;
  private number: number;
  private sampling: Sampling | undefined;
  private readonly refresher = new Refresher(() => this.look(), PERIOD);
  /** Whether a letter is to be set as soon as it is drawn. */
  private isDue = false;

  /**
   * The random numbers follow from the seed of the training: the same run writes the same words.
   * @param changed called after each change of what is shown
   */
  constructor(
    private readonly run: Drawer,
    private readonly changed: () => void,
  ) {
    this.random = new Random(siblingSeed(run.seed));
    this.number = this.random.uniform();
  }

  /** Whether the word has ended. */
  get isOver(): boolean {
    return this.letters.at(-1)?.token === BOS;
  }

  /** Asks anew what comes next: the model has changed, or the settings. */
  refresh(sampling: Sampling): void {
    if (this.sampling && this.sampling.prefix !== sampling.prefix) this.letters = [];
    this.sampling = sampling;
    this.refresher.ask();
  }

  /** Sets the letter that was drawn; it may have to be drawn first. */
  next(): void {
    if (this.isOver) return;
    const coming = this.current;
    this.isDue = !coming;
    if (coming) this.set({ token: coming.draw.token, isChosen: false });
  }

  /** Sets another letter than was drawn; the random number is used up. */
  choose(token: number): void {
    const coming = this.current;
    if (coming && !coming.draw.isFull && !this.isOver) this.set({ token, isChosen: token !== coming.draw.token });
  }

  /** Begins another word. */
  again(): void {
    this.letters = [];
    this.refresher.ask();
    this.changed();
  }

  /** Plays, from the beginning if the word is over, or pauses. */
  play(isPlaying: boolean): void {
    if (isPlaying && this.isOver) this.again();
    this.isPlaying = isPlaying;
    this.changed();
  }

  end(): void {
    this.isPlaying = false;
    this.refresher.end();
  }

  /** The draw that fits the letters which are there. */
  private get current(): ComingLetter | undefined {
    const coming = this.coming;
    return coming?.letters === this.letters && coming.sampling === this.sampling ? coming : undefined;
  }

  private set(letter: Letter): void {
    const { draw, sampling } = this.coming ?? {};
    this.letters = [...this.letters, letter];
    // At temperature 0 no number is drawn, nor when the word is full.
    if (sampling && sampling.temperature > 0 && !draw?.isFull) this.number = this.random.uniform();
    if (letter.token !== BOS) {
      this.refresher.ask();
      this.changed();
      return;
    }
    this.isPlaying = false;
    const word = [...(draw?.prefix ?? []), ...this.letters.slice(0, -1).map(({ token }) => token)];
    this.words = [word, ...this.words].slice(0, MAX_WORDS);
    this.changed();
  }

  private async look(): Promise<void> {
    const { sampling, number, letters, run } = this;
    if (!sampling || this.isOver) return;
    try {
      const tokens = letters.map(({ token }) => token);
      const draw = await run.ask("draw", { ...sampling, letters: tokens, number });
      this.refusal = "";
      this.coming = { draw, number, letters, sampling };
      if (this.isDue) this.next();
      this.changed();
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.refusal = error.message;
      this.coming = undefined;
      this.isPlaying = false;
      this.changed();
    }
  }
}
