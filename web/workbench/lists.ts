import type { Values } from "./choice";

/** A dataset that the page offers, with settings that suit it. */
export interface List {
  /** Its value in the page's address. */
  readonly id: string;
  readonly title: string;
  /** A description: the words and their source. */
  readonly sentence: string;
  /** Three of its words. */
  readonly samples: readonly string[];
  /** URL of the file: UTF-8, one word per line. */
  readonly url: string;
  /** Settings that suit it. */
  readonly values: Values;
}

/** The first is the firmware's dataset. A model can overfit the others, so they have a holdout. */
export const LISTS: readonly List[] = Object.freeze([
  {
    id: "names",
    title: "Names",
    sentence:
      "Names of babies, from the data of the US Social Security Administration for 2018: the same run as on the chip.",
    samples: ["emma", "noah", "olivia"],
    url: new URL("../../data/names.txt", import.meta.url).href,
    values: {},
  },
  {
    id: "dinosaurs",
    title: "Dinosaurs",
    sentence: "Names of dinosaurs, from Aardonyx to Zuul, a list made for this page.",
    samples: ["troodon", "triceratops", "yi"],
    url: new URL("../lists/dinosaurs.txt", import.meta.url).href,
    values: { preset: "tuned", steps: "1000", holdout: "10" },
  },
  {
    id: "minerals",
    title: "Minerals",
    sentence: "Minerals and gems, from acanthite to zunyite, a list made for this page.",
    samples: ["quartz", "topaz", "malachite"],
    url: new URL("../lists/minerals.txt", import.meta.url).href,
    values: { preset: "tuned", steps: "1000", holdout: "10" },
  },
  {
    id: "towns",
    title: "German towns",
    sentence: "Towns in Germany, with ä, ö, ü and ß, and spas with a space, a list made for this page.",
    samples: ["kassel", "düren", "bad ems"],
    url: new URL("../lists/towns.txt", import.meta.url).href,
    values: { preset: "tuned", steps: "1000", holdout: "10" },
  },
  {
    id: "hiragana",
    title: "Japanese words",
    sentence: "In hiragana: animals, plants, food and things of the house, a list made for this page.",
    samples: ["ねこ", "おちゃ", "ひかり"],
    url: new URL("../lists/hiragana.txt", import.meta.url).href,
    values: { preset: "tuned", steps: "500", holdout: "10" },
  },
] satisfies List[]);

/** The settings that suit a list; none for a custom one. */
export function suitedValues(id: string): Values {
  return LISTS.find((list) => list.id === id)?.values ?? {};
}
