// node scripts/version.mjs: writes package.json's version where it stands as well, and into the changelog's heading;
// `npm version` runs it. --check: fails where it is another one. --tag TAG: fails unless TAG can be released.
// --notes: prints what the changelog has of this version.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const CHANGELOG = "CHANGELOG.md";
const UNRELEASED = "## Unreleased";

/** @type {{ version: string, codename: string, repository?: { url?: string } }} */
const { version, codename, repository } = JSON.parse(read("package.json"));
const isPrerelease = version.includes("-");

/** The files with copies. A manifest has no variable for it, as the SDK's own commands read it too. */
const FILES = ["manifest.json", "README.md", "PROTOCOL.md", ...documents()];
/** How a copy looks: what stands before it, the version, what stands behind it. */
const COPIES = [
  /("version": ")([^"]*)(")/g,
  new RegExp(`(\\bVersion )(\\S+)( "${codename}")`, "g"),
  new RegExp(`(\\besp32gpt-)(\\d[^\\s"\`]*?)(-${codename}-)`, "g"),
  /(\besp32gpt-)(\d[^\s"`]*?)(\.tar\.gz)/g,
];

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) main(process.argv.slice(2));

/** @param {readonly string[]} words */
function main([option, tag]) {
  if (option === "--notes") return console.log(notes());
  const faults = option === "--check" ? stale() : option === "--tag" ? whyNotReleased(tag) : [];
  if (option === undefined) write();
  for (const fault of faults) console.error(fault);
  process.exitCode = faults.length > 0 ? 1 : 0;
}

function documents() {
  return readdirSync(join(ROOT, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`);
}

/** @param {string} file from the project's folder on */
function read(file) {
  return readFileSync(join(ROOT, file), "utf8");
}

/** @param {string} text */
function updated(text) {
  return COPIES.reduce(
    (text, copy) => text.replace(copy, (_, before, _version, behind) => before + version + behind),
    text,
  );
}

function stale() {
  return FILES.filter((file) => updated(read(file)) !== read(file)).map(
    (file) => `${file} has another version than package.json, ${version}: \`node scripts/version.mjs\` writes it.`,
  );
}

/** The heading of this version in the changelog; undefined if it has none. */
function heading() {
  return read(CHANGELOG)
    .split("\n")
    .find((line) => line === `## ${version}` || line.startsWith(`## ${version},`));
}

/** The changes of this version; of a prerelease, those that are not released yet. */
function notes() {
  const lines = read(CHANGELOG).split("\n");
  const at = lines.indexOf(heading() ?? UNRELEASED);
  const end = lines.findIndex((line, i) => i > at && line.startsWith("## "));
  return at < 0
    ? ""
    : lines
        .slice(at + 1, end < 0 ? undefined : end)
        .join("\n")
        .trim();
}

function write() {
  const changed = new Map(FILES.map((file) => [file, updated(read(file))]));
  if (!isPrerelease && heading() === undefined) {
    const today = new Date().toISOString().slice(0, 10);
    changed.set(CHANGELOG, read(CHANGELOG).replace(`${UNRELEASED}\n`, `## ${version}, ${today}\n`));
  }
  for (const [file, text] of changed) {
    if (text === read(file)) changed.delete(file);
    else writeFileSync(join(ROOT, file), text);
  }
  // npm commits package.json, package-lock.json and what is staged; it sets the variable to "" for --no-git-tag-version.
  const commits = process.env.npm_lifecycle_event === "version" && process.env.npm_config_git_tag_version !== "";
  if (commits && changed.size > 0) execFileSync("git", ["add", "--", ...changed.keys()], { cwd: ROOT });
}

/**
 * @param {string | undefined} tag
 * @returns {string[]} a sentence for each reason, none if it can be released
 */
function whyNotReleased(tag) {
  const faults = stale();
  if (tag !== `v${version}`) faults.push(`The tag is ${tag ?? "missing"}, but package.json has version ${version}.`);
  if (!isPrerelease && heading() === undefined)
    faults.push(
      `${CHANGELOG} has no section for ${version}: write what has changed under "${UNRELEASED}" before \`npm version\`.`,
    );
  // npm compares them when it publishes with provenance.
  const { GITHUB_SERVER_URL, GITHUB_REPOSITORY } = process.env;
  const address = `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}`;
  if (GITHUB_REPOSITORY && repository?.url !== `git+${address}.git`)
    faults.push(`package.json names no repository at git+${address}.git, which npm asks for: add it.`);
  return faults;
}
