import { hasAnswered, type LinkState, type Sign } from "./link-state";

/** What is shown of a state of the link. */
export interface LinkView {
  /** The colour of the mark. */
  readonly tone: "quiet" | "busy" | "good" | "bad";
  /** A few words in bold; "" where there is nothing to say. */
  readonly tag: string;
  /** The rest of the sentence. */
  readonly text: string;
  /** What to try, a sentence each. */
  readonly advice: readonly string[];
  readonly parts: LinkParts;
}

/** Which parts of the pane there are. */
export interface LinkParts {
  /** The two doors. */
  readonly doors: boolean;
  /** Buttons for the open port. */
  readonly port: boolean;
  /** Commands, own words and checkpoints: "hidden" keeps what was typed there until the board is back. */
  readonly work: "none" | "hidden" | "waiting" | "shown";
  /** What the board has said: the curve, the words and the console, or its bare output. */
  readonly output: "none" | "all" | "text";
}

const NO_PARTS: LinkParts = { doors: false, port: false, work: "none", output: "none" };

const FLASH_REPLACES = "To put esp32gpt in its place, flash it: what is on the board now is then gone.";

const FOREIGN: Readonly<Record<Sign, Pick<LinkView, "tag" | "text" | "advice">>> = {
  text: {
    tag: "Another program runs on it.",
    text: "The board says something, but not what esp32gpt says.",
    advice: [
      "If it is esp32gpt that has just been switched on, ask again.",
      "If you have several boards, choose another port.",
      FLASH_REPLACES,
    ],
  },
  noise: {
    tag: "What it says is hardly text.",
    text: "esp32gpt speaks at 115,200 baud, as this page does; another program, or a debug build, uses another speed.",
    advice: ["Press the board’s reset button (EN or RST), and ask again.", FLASH_REPLACES],
  },
  debug: {
    tag: "This is a debug build.",
    text: "It talks to xsbug, the SDK’s debugger, and not to this page.",
    advice: ["Flash a release build: its checkpoint stays."],
  },
  empty: {
    tag: "The board is empty.",
    text: "Its chip finds no program in the flash.",
    advice: ["Flash esp32gpt."],
  },
  loader: {
    tag: "The board waits to be flashed.",
    text: "Its chip is in download mode, where no program runs.",
    advice: ["Flash esp32gpt.", "If it is on the board already, press the reset button (EN or RST)."],
  },
};

/** What follows from a state: its one sentence, its one colour, and what is there to be seen. */
export function viewOf(state: LinkState): LinkView {
  switch (state.kind) {
    case "none":
      return {
        tone: "quiet",
        tag: state.reason === "" ? "" : "No board is connected.",
        text: state.reason,
        advice: [],
        parts: { ...NO_PARTS, doors: true },
      };
    case "connecting":
      return {
        tone: "busy",
        tag: "Connecting …",
        text: "The board is asked what it runs; that takes a few seconds at most.",
        advice: [],
        parts: state.hasAnswered
          ? { ...NO_PARTS, port: true, work: "waiting", output: "all" }
          : { ...NO_PARTS, port: true },
      };
    case "answers":
      return {
        tone: "good",
        tag: "Connected.",
        text: "The board runs esp32gpt and answers.",
        advice: [],
        parts: { ...NO_PARTS, port: true, work: "shown", output: "all" },
      };
    case "silent":
      return {
        tone: "bad",
        tag: "Nothing is heard.",
        text: "The port is open, but the board says nothing.",
        advice: [
          "Press the board’s reset button (EN or RST).",
          "Try another cable: many only charge, and carry no data.",
          "Is it the right port? Unplug the board: its port is the one that leaves the list.",
          "A board without a program has nothing to say: flash it.",
        ],
        parts: { ...NO_PARTS, port: true },
      };
    case "foreign": {
      const { tag, text, advice } = FOREIGN[state.sign];
      return {
        tone: "bad",
        tag,
        text: state.detail === "" ? text : `${text} ${state.detail}`,
        advice,
        parts: { ...NO_PARTS, port: true, output: "text" },
      };
    }
    case "gone":
      return {
        tone: "bad",
        tag: "The board is gone.",
        text: "It is connected again when it is plugged in; some boards have to be chosen by hand.",
        advice: [],
        parts: hasAnswered(state)
          ? { ...NO_PARTS, port: true, work: "hidden", output: "all" }
          : { ...NO_PARTS, port: true },
      };
    case "flashing":
      return {
        tone: "busy",
        tag: "The port is kept for flashing.",
        text: "The board cannot be talked to meanwhile.",
        advice: [],
        parts: NO_PARTS,
      };
  }
}
