import { spawnSync } from "node:child_process";
import { cpSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { ROOT } from "./helpers";
import { temporaryFolder } from "./support/cli";

/*
 * package.json has the version, and `npm version` changes it wherever else it stands. test/ is not looked at: the
 * versions there belong to devices and images that are made up.
 */

/** Folders that are no part of the sources. */
const BESIDE = ["node_modules", "dist", "build", "coverage", ".git", "test"];
/** A version that stands nowhere by chance. */
const OLD = "97.3.41";
const WRITES = "--ignore-scripts=false";

const at = temporaryFolder();
const { version, codename } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as Record<string, string>;

let project: string;

/** A copy of the sources, with another version, changes that are not released, and an own history. */
beforeEach(() => {
  project = at(`project-${performance.now()}`);
  cpSync(ROOT, project, { recursive: true, filter: (path) => !BESIDE.includes(relative(ROOT, path)) });
  symlinkSync(join(ROOT, "node_modules"), join(project, "node_modules"));
  writeFileSync(join(project, ".gitignore"), "node_modules\n");
  writeFileSync(join(project, "CHANGELOG.md"), "# Changelog\n\n## Unreleased\n\n- One.\n\n## 0.0.1\n\n- Zero.\n");
  succeed("npm", "version", OLD, WRITES, "--no-git-tag-version");
  writeFileSync(join(project, "CHANGELOG.md"), "# Changelog\n\n## Unreleased\n\n- Two.\n\n## 0.0.1\n\n- Zero.\n");
  git("init", "--quiet");
  git("add", ".");
  git("commit", "--quiet", "--message", "A copy");
});

function run(program: string, ...words: string[]): { status: number | null; stdout: string; stderr: string } {
  const env = { ...process.env, GITHUB_REPOSITORY: "" };
  // What npm sets for the tests is not for the npm that they start.
  for (const name of Object.keys(env)) if (/^npm_/i.test(name)) Reflect.deleteProperty(env, name);
  return spawnSync(program, words, { cwd: project, encoding: "utf8", env });
}

function succeed(program: string, ...words: string[]): string {
  const { status, stdout, stderr } = run(program, ...words);
  expect({ words, status, stderr: status === 0 ? "" : stderr }).toEqual({ words, status: 0, stderr: "" });
  return stdout;
}

function git(...words: string[]): string {
  return succeed("git", "-c", "user.name=Test", "-c", "user.email=test@example.org", ...words);
}

/** `npm version`, which commits with the name that is configured. */
function npmVersion(...words: string[]): void {
  git("config", "user.name", "Test");
  git("config", "user.email", "test@example.org");
  succeed("npm", "version", ...words, WRITES);
}

/** The lines of the copy that have a version, as FILE: LINE. */
function linesWith(version: string): string[] {
  const standsAlone = new RegExp(`(?<![\\d.])${version.replaceAll(".", "\\.")}(?![\\d.]*\\d)`);
  const names = readdirSync(project, { recursive: true }).map(String);
  const files = names.filter((name) => !/^(\.git|node_modules)(\/|$)|\.png$/.test(name));
  return files
    .filter((name) => statSync(join(project, name)).isFile())
    .flatMap((name) =>
      readFileSync(join(project, name), "utf8")
        .split("\n")
        .filter((line) => standsAlone.test(line))
        .map((line) => `${name}: ${line}`),
    );
}

/** What the firmware, the package and its lock file are called now. */
function versions(): unknown[] {
  const read = (name: string): Record<string, Record<string, Record<string, string>>> =>
    JSON.parse(readFileSync(join(project, name), "utf8")) as Record<string, Record<string, Record<string, string>>>;
  const [lock, manifest] = [read("package-lock.json"), read("manifest.json")];
  const [firmware] = [manifest.config.esp32gpt];
  expect([read("package.json").codename, firmware.codename]).toEqual([codename, codename]);
  return [read("package.json").version, lock.version, lock.packages[""].version, firmware.version];
}

test("no version of the project is left behind that the script does not know", () => {
  expect(linesWith(version).filter((line) => /esp32gpt|version/i.test(line) && !line.includes("lock.json"))).toEqual(
    [],
  );
  expect(versions()).toEqual([OLD, OLD, OLD, OLD]);
});

test.each([
  [["patch"], "97.3.42"],
  [["preminor", "--preid", "rc"], "97.4.0-rc.0"],
])("npm version %j changes it everywhere", (words, next) => {
  npmVersion(...words, "--no-git-tag-version");
  expect(versions()).toEqual([next, next, next, next]);
  expect(linesWith(OLD)).toEqual([]);
  expect(linesWith(next).map((line) => line.split(": ")[0])).toEqual(
    expect.arrayContaining([
      "PROTOCOL.md",
      "docs/board.md",
      "docs/page.md",
      "docs/troubleshooting.md",
      "manifest.json",
    ]),
  );
  succeed("node", "scripts/version.mjs", "--check");
  succeed("node", "scripts/version.mjs", "--tag", `v${next}`);
  expect(succeed("node", "scripts/version.mjs", "--notes")).toBe("- Two.\n");
  succeed("npx", "prettier", "--check", "*.md", "docs", "manifest.json");
  // Nothing is staged where npm makes no commit.
  expect(git("diff", "--cached", "--name-only")).toBe("");

  // And from a prerelease on to the release.
  npmVersion("minor", "--no-git-tag-version", "--allow-same-version");
  expect(linesWith(next).filter((line) => !line.startsWith("CHANGELOG.md: "))).toEqual([]);
});

test("npm version commits all of it, and tags the commit", () => {
  npmVersion("patch");
  expect(git("status", "--short")).toBe("");
  expect(git("describe", "--exact-match").trim()).toBe("v97.3.42");
  expect(git("show", "--name-only", "--format=").split("\n")).toEqual(
    expect.arrayContaining(["CHANGELOG.md", "docs/page.md", "manifest.json", "package-lock.json", "package.json"]),
  );
  expect(readFileSync(join(project, "CHANGELOG.md"), "utf8")).toMatch(
    /^# Changelog\n\n## 97\.3\.42, \d{4}-\d\d-\d\d\n\n- Two\.\n\n## 0\.0\.1\n\n- Zero\.\n$/,
  );
});

test("a prerelease leaves the changes unreleased", () => {
  npmVersion("prerelease");
  expect(readFileSync(join(project, "CHANGELOG.md"), "utf8")).toContain("\n## Unreleased\n\n- Two.\n");
});

test("a forgotten copy is found, and keeps a tag from its release", () => {
  succeed("npm", "version", "patch", "--no-git-tag-version", "--ignore-scripts");
  const stale = run("node", "scripts/version.mjs", "--check");
  expect(stale.status).toBe(1);
  expect(stale.stderr).toMatch(/^manifest\.json has another version than package\.json, 97\.3\.42: /);
  expect(run("node", "scripts/version.mjs", "--tag", "v97.3.42").status).toBe(1);
  succeed("node", "scripts/version.mjs");
  succeed("node", "scripts/version.mjs", "--tag", "v97.3.42");
  expect(linesWith(OLD)).toEqual([]);
});

test("a tag is released only where package.json and the repository agree", () => {
  npmVersion("patch");
  expect(run("node", "scripts/version.mjs", "--tag", "v97.3.43").stderr).toMatch(/^The tag is v97\.3\.43, but/);
  expect(run("node", "scripts/version.mjs", "--tag").stderr).toMatch(/^The tag is missing, but/);
  const inRepository = (): string => {
    const env = ["GITHUB_SERVER_URL=https://github.com", "GITHUB_REPOSITORY=owner/esp32gpt"];
    return run("env", ...env, "node", "scripts/version.mjs", "--tag", "v97.3.42").stderr;
  };
  succeed("npm", "pkg", "delete", "repository");
  expect(inRepository()).toMatch(
    /^package\.json names no repository at git\+https:\/\/github\.com\/owner\/esp32gpt\.git/,
  );
  succeed("npm", "pkg", "set", "repository.type=git", "repository.url=git+https://github.com/owner/esp32gpt.git");
  expect(inRepository()).toBe("");
});
