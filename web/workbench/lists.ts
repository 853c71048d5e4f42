import type { Choice } from "./address";

/** A list of words that the page offers, and a run that shows it well. */
export interface List {
  /** Stands in the page's address. */
  readonly id: string;
  readonly title: string;
  /** What the words are and where they come from. */
  readonly sentence: string;
  /** Of the file: UTF-8, one word a line. */
  readonly url: string;
  /** Settings that show it well. */
  readonly values: Choice["values"];
}

/** The first is for the run that the chip makes. The others can be learnt by heart, so that some words are held out. */
export const LISTS: readonly List[] = Object.freeze([
  {
    id: "names",
    title: "Names",
    sentence:
      "Names of babies, from the data of the US Social Security Administration for 2018: the same run as on the chip.",
    url: new URL("../../data/names.txt", import.meta.url).href,
    values: {},
  },
  {
    id: "dinosaurs",
    title: "Dinosaurs",
    sentence: "Names of dinosaurs, from Aardonyx to Zuul, a list made for this page.",
    url: new URL("../lists/dinosaurs.txt", import.meta.url).href,
    values: { preset: "tuned", steps: "1000", holdout: "10" },
  },
  {
    id: "minerals",
    title: "Minerals",
    sentence: "Minerals and gems, from acanthite to zunyite, a list made for this page.",
    url: new URL("../lists/minerals.txt", import.meta.url).href,
    values: { preset: "tuned", steps: "1000", holdout: "10" },
  },
  {
    id: "towns",
    title: "German towns",
    sentence: "Towns in Germany, with ä, ö, ü and ß, and spas with a space, a list made for this page.",
    url: new URL("../lists/towns.txt", import.meta.url).href,
    values: { preset: "tuned", steps: "1000", holdout: "10" },
  },
  {
    id: "hiragana",
    title: "Japanese words",
    sentence: "In hiragana: animals, plants, food and things of the house, a list made for this page.",
    url: new URL("../lists/hiragana.txt", import.meta.url).href,
    values: { preset: "tuned", steps: "500", holdout: "10" },
  },
] satisfies List[]);
