import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { ROOT } from "./helpers";
import { hostExecutable } from "./support/xs";

/* The files of the XS host stand on each other: none uses what uses it. */

const FOLDER = join(ROOT, "host", "xs", "engine");
const files = readdirSync(FOLDER);
const modules = files.filter((name) => name.endsWith(".c")).map((name) => basename(name, ".c"));
/** It configures XS, which includes it everywhere. */
const headers = files
  .filter((name) => name.endsWith(".h") && name !== "platform.h")
  .map((name) => basename(name, ".h"));

type Graph = ReadonlyMap<string, ReadonlySet<string>>;

const graphOf = (nodes: readonly string[], edges: (node: string) => Iterable<string>): Graph =>
  new Map(nodes.map((node) => [node, new Set(edges(node))]));

const read = (file: string): string => readFileSync(join(FOLDER, file), "utf8");

/** Those of our own headers that a file includes, but for its own. */
function includesOf(file: string): string[] {
  const names = [...read(file).matchAll(/^#include "(\w+)\.h"/gm)].map(([, name]) => name);
  return names.filter((name) => headers.includes(name) && name !== file.slice(0, -2));
}

/** A way from a node back to itself, if there is one. */
function circleOf(graph: Graph): string[] | undefined {
  const done = new Set<string>();
  const search = (node: string, way: readonly string[]): string[] | undefined => {
    if (way.includes(node)) return [...way.slice(way.indexOf(node)), node];
    if (done.has(node)) return undefined;
    for (const next of graph.get(node) ?? []) {
      const circle = search(next, [...way, node]);
      if (circle !== undefined) return circle;
    }
    done.add(node);
    return undefined;
  };
  for (const node of graph.keys()) {
    const circle = search(node, []);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

/** A file stands on what it and its header include. */
const included = graphOf(modules, (name) => [
  ...includesOf(`${name}.c`),
  ...(headers.includes(name) ? includesOf(`${name}.h`) : []),
]);

test("each file but main.c has a header of its name, and there are no others", () => {
  expect(headers.toSorted()).toEqual(modules.filter((name) => name !== "main").toSorted());
  for (const name of headers) expect(read(`${name}.c`)).toMatch(new RegExp(`^#include "${name}\\.h"$`, "m"));
});

test("what includes what has no circle", () => {
  expect(included.get("main")?.size).toBeGreaterThan(3);
  expect(circleOf(included)).toBeUndefined();
});

describe("in the compiled files,", () => {
  const symbols = new Map<string, { readonly defined: Set<string>; readonly wanted: Set<string> }>();

  beforeAll(async () => {
    const folder = dirname(await hostExecutable());
    const objects = readdirSync(folder);
    for (const name of modules) {
      const found = objects.filter((file) => new RegExp(`^${name}-[0-9a-f]+\\.o$`).test(file));
      expect([name, found.length]).toEqual([name, 1]);
      const lines = execFileSync("nm", ["-g", join(folder, found[0])], { encoding: "utf8" }).split("\n");
      const [defined, wanted] = [new Set<string>(), new Set<string>()];
      for (const line of lines) {
        const match = /([A-Za-z]) _?(\S+)$/.exec(line);
        if (match !== null) (match[1] === "U" ? wanted : defined).add(match[2]);
      }
      symbols.set(name, { defined, wanted });
    }
  }, 600_000);

  /** What one file has and the other wants. */
  const sharedBy = (name: string, other: string): string[] =>
    name === other
      ? []
      : [...(symbols.get(other)?.defined ?? [])].filter((symbol) => symbols.get(name)?.wanted.has(symbol));

  test("what uses what has no circle", () => {
    const graph = graphOf(modules, (name) => modules.filter((other) => sharedBy(name, other).length > 0));
    expect([...(graph.get("main") ?? [])]).toContain("bindings");
    expect(circleOf(graph)).toBeUndefined();
  });

  test("what others use is in the header of its file, and that is included", () => {
    for (const name of modules) {
      for (const other of modules) {
        // XS declares what it calls itself, and its macros call fxAbort.
        const shared = sharedBy(name, other).filter((symbol) => !/^[fg]x/.test(symbol));
        for (const symbol of shared) expect(read(`${other}.h`)).toMatch(new RegExp(`\\b${symbol}\\(`));
        if (shared.length > 0)
          expect([name, [...(included.get(name) ?? [])]]).toEqual([name, expect.arrayContaining([other])]);
      }
    }
  });
});
