import type { Command } from "../src/device/commands/command";
import { commandOf, COMMANDS } from "../src/device/commands/table";
import {
  CHUNK_BYTES,
  DATA_BYTES,
  LARGEST_ID,
  MAX_WAITING_COMMANDS,
  MAX_CHUNKS,
  MAX_DATA_LINES,
  MAX_LINE_BYTES,
  PROTOCOL_VERSION,
  RECEIVED,
  REMEMBERED_IDS,
} from "../src/protocol/lines";
import { chipOps, CREATION, largestEmbedding, planMemory, type TrainingToPlan } from "../src/gpt/plan";
import { CHIPS } from "../src/places/chips";
import { DEFAULT_MODEL } from "../src/gpt/model/config";
import { documentOf } from "./support/documents";

/* What the documents say of commands and limits is what the program has. */

const [BOARD, PROTOCOL, DESIGN] = ["docs/board.md", "PROTOCOL.md", "DESIGN.md"].map(documentOf);

const NUMBERS = "zero one two three four five six seven eight nine ten".split(" ");

/** What stands in a document between a text before it and one behind it, each time. */
function figures(document: string, before: string, behind: string): number[] {
  const words = new RegExp(`${before} (\\d+|${NUMBERS.join("|")}) ${behind}`, "gi");
  return [...document.replace(/\s+/g, " ").matchAll(words)].map(([, figure]) => {
    const word = NUMBERS.indexOf(figure.toLowerCase());
    return word < 0 ? Number(figure) : word;
  });
}

test.each([
  ["docs/board.md", BOARD, "at most", "bytes, while", MAX_LINE_BYTES],
  ["PROTOCOL", PROTOCOL, "A line to the device has at most", "bytes", MAX_LINE_BYTES],
  ["DESIGN", DESIGN, "A line has at most", "bytes", MAX_LINE_BYTES],
  ["docs/board.md", BOARD, "", "commands wait", MAX_WAITING_COMMANDS],
  ["PROTOCOL", PROTOCOL, "", "commands wait", MAX_WAITING_COMMANDS],
  ["DESIGN", DESIGN, "", "commands wait", MAX_WAITING_COMMANDS],
  ["DESIGN", DESIGN, "wait in one queue\\. .*turn comes:", "take 1 KB", MAX_WAITING_COMMANDS],
  ["PROTOCOL", PROTOCOL, "remembers the last", "numbers", REMEMBERED_IDS],
  ["PROTOCOL", PROTOCOL, "a number that the", "before it", REMEMBERED_IDS],
  ["PROTOCOL", PROTOCOL, "behind which more than", "others were sent", REMEMBERED_IDS - 1],
  ["PROTOCOL", PROTOCOL, "a number from 1 to", "?, a space", LARGEST_ID],
  ["PROTOCOL", PROTOCOL, "base64, at most", "bytes", CHUNK_BYTES],
  ["PROTOCOL", PROTOCOL, "COUNT \\(1 to", "?\\) `chunk` lines", MAX_CHUNKS],
  ["PROTOCOL", PROTOCOL, "appends at most", "bytes", DATA_BYTES],
  ["PROTOCOL", PROTOCOL, "At most", "such lines may be under way", MAX_DATA_LINES],
  ["PROTOCOL", PROTOCOL, "# The device protocol, version", "A device", PROTOCOL_VERSION],
  ["PROTOCOL", PROTOCOL, "`protocol`", "?, the version of this page", PROTOCOL_VERSION],
])("%s has the limit that the program has: %#", (_, document, before, behind, limit) => {
  expect(figures(document, before, behind)).toEqual([limit]);
});

/** What stands in backquotes. */
function quoted(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, code]) => code.replaceAll("\\|", "|").replace(/\s+/g, " "));
}

/** The first column of the table that has this heading there. */
function firstColumn(document: string, heading: string): string {
  const [table] = document.slice(document.indexOf(`\n| ${heading} `) + 1).split("\n\n");
  return table
    .split("\n")
    .map((row) => row.split(" | ")[0])
    .join("\n");
}

/** The part of a document with this heading. */
function partOf(document: string, heading: string): string {
  return document.slice(document.indexOf(`\n## ${heading}\n`) + 1).split("\n## ")[0];
}

test("the table of docs/memory.md is the plan of the default model", () => {
  const [table] = documentOf("docs/memory.md").split("\n## ");
  const rows = new Map(
    table
      .split("\n")
      .filter((line) => /^\| .*\d/.test(line))
      .map((line) => line.replaceAll("*", "").slice(1, -1).split("|"))
      .map(([name, bytes]): [string, number] => [name.trim(), Number(bytes.replaceAll(",", ""))]),
  );
  const { buffers, bufferBytes, chunks, total } = planMemory(DEFAULT_MODEL);
  const sizes = buffers.map(({ bytes }) => bytes);
  const [m, v] = sizes.splice(-2);
  expect([...rows.values()]).toEqual([...sizes, m + v, bufferBytes]);
  const machine = /takes ([\d,]+) bytes: ([\d,]+) for chunks[^:]*?, ([\d,]+) slots and a stack of (\d+) slots/;
  const told = machine.exec(documentOf("docs/memory.md").replace(/\s+/g, " "))?.slice(1);
  const figures = told?.map((figure) => Number(figure.replaceAll(",", "")));
  expect(figures).toEqual([total, chunks, CREATION.slots, CREATION.stack]);
});

test("docs/memory.md has the largest n_embd of each chip", () => {
  const rows = documentOf("docs/memory.md").matchAll(/^\| ((?:ESP32)[^|]*?) *\|([^|]*)\|([^|]*)\|([^|]*)\|$/gm);
  const told = Array.from(rows, ([, name, ...cells]) => [name, ...cells.map((cell) => Number(cell))]);
  const planned = CHIPS.map(({ name, memory, dtype }) => {
    const largest = (training: TrainingToPlan["training"]): number | undefined =>
      largestEmbedding(DEFAULT_MODEL, memory, { ops: chipOps(dtype), training });
    const exact = dtype === "f32" ? largest({ moments: "f32" }) : 0;
    return [name, exact, largest({ moments: "bf16", batchSize: 8 }), largest({ moments: "bf16" })];
  });
  expect(told).toEqual(planned);
});

/** A command with what stands behind it. */
function usageOf({ name, takes }: Command): string {
  return takes === undefined ? name : `${name} ${takes}`;
}

const isForPeople = ({ help }: Command): boolean => help !== undefined;

test("the table of the console in docs/board.md has the commands of help, with their arguments, and no other", () => {
  expect(quoted(firstColumn(BOARD, "command")).sort()).toEqual(COMMANDS.filter(isForPeople).map(usageOf).sort());
});

test("PROTOCOL has the commands of programs alone, with their arguments", () => {
  const parts = ["Fetching the checkpoint", "Sending a checkpoint"]
    .map((heading) => partOf(PROTOCOL, heading))
    .join("");
  const own = COMMANDS.filter((command) => !isForPeople(command)).map(usageOf);
  expect(own.filter((usage) => !quoted(parts).includes(usage))).toEqual([]);
});

test("what PROTOCOL has in backquotes outside of its tables is a command, a line's type or field, or a setting", () => {
  const inTables = PROTOCOL.split("\n")
    .filter((line) => line.startsWith("| "))
    .flatMap(quoted);
  const others = ["@", "17 status", ',"crc":', "batch_size", "holdout", RECEIVED, ...inTables];
  const prose = PROTOCOL.replace(/^```[^]*?^```$/gm, "").replace(/^\| .*$/gm, "");
  expect(quoted(prose).filter((code) => !others.includes(code) && !commandOf(code).command)).toEqual([]);
});

test("what the documents list as never waiting, and as long work, is so", () => {
  const list = (document: string, pattern: RegExp): string[] => quoted(pattern.exec(document)?.[1] ?? "").sort();
  const namesOf = (...orders: Command["order"][]): string[] =>
    COMMANDS.filter(({ order }) => orders.includes(order))
      .map(({ name }) => name)
      .sort();
  expect(list(PROTOCOL, /training\.\s+(`status`[^.]*)\s+never\s+wait/)).toEqual(namesOf("at once"));
  const untagged = list(BOARD, /(`stop`[^.]*)\s+never\s+wait/);
  expect(untagged).toEqual(["pause", "status", "stop"]);
  expect(namesOf("at once")).toEqual(expect.arrayContaining(untagged));
  const long = list(PROTOCOL, /long\s+work\s+\(([^)]*)\)/);
  expect(long).toEqual(expect.arrayContaining(namesOf("reads")));
  expect(namesOf("reads", "changes")).toEqual(expect.arrayContaining(long));
});
