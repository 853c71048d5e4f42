import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { ROOT } from "./helpers";
import { temporaryFolder } from "./support/cli";
import { documentOf } from "./support/documents";

/* What GitHub reads in .github/: it reports a mistake there late, or passes over it. */

const at = temporaryFolder();
const WORKFLOWS = ".github/workflows";
const FORMS = ".github/ISSUE_TEMPLATE";

function lint(...files: string[]): { status: number | null; stderr: string } {
  return spawnSync(process.execPath, ["scripts/lint-workflows.mjs", ...files], { cwd: ROOT, encoding: "utf8" });
}

describe("the workflows", () => {
  const ACTION = `actions/checkout@${"0".repeat(40)} # v1.2.3`;
  const workflow = (step: string): string =>
    `on: push\njobs:\n  test:\n    runs-on: ubuntu-24.04\n    steps:\n      - ${step}\n`;

  test("have nothing that actionlint objects to, and their actions are pinned", () => {
    expect(lint()).toMatchObject({ status: 0, stderr: "" });
  });

  test.each([
    [workflow("run: echo ${{ github.nothing }}"), /^\S+broken\.yml:6:\d+: property "nothing" is not defined/],
    [workflow("run: true").replace("runs-on", "run-on"), /broken\.yml:3:\d+: "runs-on" section is missing/],
    [workflow("uses: actions/checkout@v7"), /broken\.yml:6:1: an action needs the digest of a commit/],
    [workflow(`uses: ${ACTION.split(" ")[0]}`), /broken\.yml:6:1: an action needs the digest/],
  ])("a broken one fails: %j", (text, message) => {
    writeFileSync(at("broken.yml"), text);
    const { status, stderr } = lint(join(ROOT, WORKFLOWS, "ci.yml"), at("broken.yml"));
    expect([status, stderr]).toEqual([1, expect.stringMatching(message)]);
  });

  test("a pinned action is sound", () => {
    writeFileSync(at("sound.yml"), workflow(`uses: ${ACTION}`));
    expect(lint(at("sound.yml"))).toMatchObject({ status: 0, stderr: "" });
  });

  interface Workflow {
    readonly permissions?: Record<string, string>;
    readonly concurrency?: unknown;
    readonly jobs: Record<string, { readonly uses?: string; readonly "timeout-minutes"?: number }>;
  }

  test.each(readdirSync(join(ROOT, WORKFLOWS)))("%s may only read, and ends", (name) => {
    const text = documentOf(`${WORKFLOWS}/${name}`);
    const { permissions, concurrency, jobs } = parse(text) as Workflow;
    expect(permissions).toEqual({ contents: "read" });
    expect(concurrency).toBeDefined();
    for (const [job, { uses, "timeout-minutes": timeout }] of Object.entries(jobs))
      if (uses === undefined) expect([job, timeout]).toEqual([job, expect.any(Number)]);
    const { scripts } = JSON.parse(documentOf("package.json")) as { scripts: Record<string, string> };
    for (const [, script] of text.matchAll(/\bnpm run ([\w:]+)/g)) expect(scripts).toHaveProperty([script]);
    for (const [script] of text.matchAll(/scripts\/[\w./-]+\w/g)) expect(existsSync(join(ROOT, script))).toBe(true);
    // Its head says what nobody has seen run.
    expect(text).toMatch(/^(#.*\n)*#.* never run on GitHub/);
  });

  test("a release is built with the SDK of the firmware's scripts, for each chip that the page can flash", () => {
    const text = documentOf(`${WORKFLOWS}/release.yml`);
    const [, sdk] = /^const SDK = "(.*)";$/m.exec(documentOf("scripts/firmware/sdk.mjs")) ?? [];
    expect(text).toContain(`\n      SDK: ${sdk}\n`);
    const [, boards] = /for board in (.*); do/.exec(text) ?? [];
    const [, chips] = /^`chip` is (.*); `flash`/m.exec(documentOf("docs/page.md")) ?? [];
    expect(boards.split(" ").map((board) => board.split("/").at(-1))).toEqual(chips.split(/, | or /));
  });
});

interface Field {
  readonly type: string;
  readonly id?: string;
  readonly attributes: Record<string, unknown> & { readonly label?: string; readonly options?: unknown[] };
  readonly validations?: Record<string, unknown>;
}

/** The attributes that a field of an issue form may have; those that it must have are marked. */
const ATTRIBUTES: Record<string, string> = {
  markdown: "value!",
  textarea: "label! description placeholder value render",
  input: "label! description placeholder value",
  dropdown: "label! description multiple options! default",
  checkboxes: "label! description options!",
};

/** What GitHub would refuse of a form. */
function faultsOf(form: Record<string, unknown>): string[] {
  const faults: string[] = [];
  const check = (is: boolean, fault: string): void => void (is || faults.push(fault));
  for (const key of ["name", "description"]) check(typeof form[key] === "string" && form[key] !== "", `no ${key}`);
  for (const key of Object.keys(form))
    check(/^(name|description|title|labels|assignees|projects|type|body)$/.test(key), `unknown: ${key}`);
  const body = (form.body ?? []) as Field[];
  check(
    body.some(({ type }) => type !== "markdown"),
    "nothing to fill in",
  );
  for (const [i, { type, id, attributes, validations = {}, ...more }] of body.entries()) {
    const where = `${type} ${i}`;
    check(type in ATTRIBUTES, `${where}: unknown`);
    const allowed = (ATTRIBUTES[type] ?? "").split(" ");
    for (const name of allowed.filter((name) => /.!/.test(name)))
      check(Boolean(attributes[name.slice(0, -1)]), `${where} has no ${name}`);
    for (const name of Object.keys(attributes))
      check(
        allowed.some((one) => one.replace("!", "") === name),
        `${where} has ${name}`,
      );
    for (const name of Object.keys({ ...more, ...validations })) check(name === "required", `${where} has ${name}`);
    check(id === undefined || /^[\w-]+$/.test(id), `${where} has the id ${id}`);
    const options = (attributes.options ?? []) as (string | { label: string })[];
    const labels = options.map((option) => (type === "checkboxes" ? (option as { label: string }).label : option));
    check(
      labels.every((label) => typeof label === "string" && label !== ""),
      `${where} has an option without text`,
    );
    check(new Set(labels).size === labels.length, `${where} has an option twice`);
  }
  for (const all of [body.map(({ id }) => id), body.map(({ attributes }) => attributes.label)]) {
    const named = all.filter((one) => one !== undefined);
    check(new Set(named).size === named.length, `twice: ${named.join(", ")}`);
  }
  return faults;
}

describe("the issue forms", () => {
  const names = readdirSync(join(ROOT, FORMS)).filter((name) => name !== "config.yml");
  const form = (name: string): Record<string, unknown> =>
    parse(readFileSync(join(ROOT, FORMS, name), "utf8")) as Record<string, unknown>;

  test.each(names)("%s is one as GitHub takes it", (name) => {
    expect(faultsOf(form(name))).toEqual([]);
  });

  test("a broken one is found", () => {
    const label = "What";
    expect(faultsOf({ name: "A", body: [{ type: "markdown", attributes: { value: "text" } }] })).toEqual([
      "no description",
      "nothing to fill in",
    ]);
    const body = [
      { type: "dropdown", id: "a b", attributes: { label, options: [true, "x"] } },
      { type: "input", attributes: { label, render: "text" }, validations: { needed: true } },
      { type: "text", attributes: {} },
    ];
    expect(faultsOf({ name: "A", description: "B", body })).toEqual([
      "dropdown 0 has the id a b",
      "dropdown 0 has an option without text",
      "input 1 has render",
      "input 1 has needed",
      "text 2: unknown",
      "twice: What, What",
    ]);
  });

  test("a bug's asks for version, board, place, log and expectation", () => {
    const ids = (form("bug.yml").body as Field[]).map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining(["version", "board", "where", "log", "expected"]));
  });

  test("config.yml has only what GitHub knows", () => {
    expect(parse(documentOf(`${FORMS}/config.yml`))).toEqual({ blank_issues_enabled: false });
  });
});
