import { type Setting, SETTINGS } from "../src/gpt/base/settings";
import { PRESETS } from "../src/gpt/model/config";
import { documentOf, userDocuments } from "./support/documents";

/* The tables of settings for readers against the table that the program goes by. */

interface Row {
  readonly names: readonly string[];
  readonly usual: string;
  readonly line: string;
}

const text = userDocuments().map(documentOf).join("\n");

/** The rows of the one table with such a head: the names in code in the first column, and the default. */
function rowsOf(head: RegExp, from = text): readonly Row[] {
  const lines = from.split("\n");
  const at = lines.findIndex((line) => head.test(line));
  if (at < 0) throw new Error(`there is no table ${head.source}`);
  const end = lines.findIndex((line, i) => i > at && !line.startsWith("|"));
  return lines.slice(at + 2, end).map((line) => {
    const [first, usual] = line.slice(1).split(/(?<!\\)\|/);
    const names = [...first.matchAll(/`(?:--)?([a-z][a-z_-]*)/g)].map(([, name]) => name.replaceAll("-", "_"));
    return { names, usual: usual.trim(), line };
  });
}

/** What a table with such rows has wrong about the settings of which `is` holds, in words. */
function faults(rows: readonly Row[], settings: Readonly<Record<string, Setting>>, is: (setting: Setting) => boolean) {
  const found: string[] = [];
  const wanted = Object.entries(settings).filter(([, setting]) => is(setting));
  for (const [name, setting] of wanted) {
    const row = rows.find(({ names }) => names.includes(name));
    if (!row) {
      found.push(`${name} is missing`);
      continue;
    }
    const { choices, default: usual } = setting;
    if (typeof usual === "number" && usual !== -1 && usual < 1e3 && !saysUsual(row, name, usual))
      found.push(`${name} is ${usual} unless it is given, and the table says "${row.usual}"`);
    for (const choice of choices ?? [])
      if (!new RegExp(`\\b${choice}\\b`).test(row.line)) found.push(`${name} can be ${choice}, which is not there`);
  }
  return found;
}

/** Whether it is there in its place among the defaults of the row; `all` and the like are words for what is off. */
function saysUsual({ names, usual }: Row, name: string, value: number): boolean {
  const each = usual.split(", ");
  const said = each.length === names.length ? each[names.indexOf(name)] : usual;
  return said === String(value) || (said === "all" && (name === "top_k" || name === "top_p"));
}

const isOption = ({ given }: Setting): boolean => given === "anywhere" || given === "command line";
const isBuilt = ({ given, type }: Setting): boolean => (given === "anywhere" || given === "build") && type !== "text";
const OPTIONS = /^\| option of `train` /;
const BUILT = /^\| setting /;
/** Without a default on the command line: nothing is saved on the way unless it is asked for. */
const ofCommandLine: Readonly<Record<string, Setting>> = {
  ...SETTINGS,
  save_every: { type: "number", given: "anywhere", doc: "" },
};

test("the documents have every option and every setting of the firmware, with their defaults and choices", () => {
  expect(faults(rowsOf(OPTIONS), ofCommandLine, isOption)).toEqual([]);
  expect(rowsOf(OPTIONS).flatMap(({ names }) => names)).toContain("save_every");
  expect(faults(rowsOf(BUILT), SETTINGS, isBuilt)).toEqual([]);
});

test("and none that there is not", () => {
  const built = rowsOf(BUILT).flatMap(({ names }) => names);
  expect(built.filter((name) => !Object.hasOwn(SETTINGS, name))).toEqual([]);
});

test("the presets' defaults are those that they have", () => {
  const { esp32gpt, tuned } = PRESETS;
  const steps = rowsOf(OPTIONS).find(({ names }) => names[0] === "steps");
  const batch = rowsOf(OPTIONS).find(({ names }) => names[0] === "batch_size");
  expect(steps?.usual).toBe(`${esp32gpt.steps}, tuned: ${tuned.steps}`);
  expect(batch?.usual).toBe(`${esp32gpt.batchSize}, tuned: ${tuned.batchSize}`);
});

test("a new setting, another default and another choice would be found", () => {
  const dropout: Setting = { type: "number", given: "anywhere", default: 0.1, doc: "of units that rest in a step" };
  const changed = {
    dropout,
    n_head: { ...SETTINGS.n_head, default: 5 },
    sampling: { ...SETTINGS.sampling, choices: ["shuffled"] },
  };
  expect(faults(rowsOf(OPTIONS), changed, isOption)).toEqual([
    "dropout is missing",
    'n_head is 5 unless it is given, and the table says "1, 16, 4, 16"',
    "sampling can be shuffled, which is not there",
  ]);
  expect(faults(rowsOf(BUILT), { dropout }, isBuilt)).toEqual(["dropout is missing"]);
});
