// node scripts/check-package.mjs TARBALL: what publint and @arethetypeswrong/core find wrong with a package that npm has
// packed. Exit code 1 if there is anything.
import { readFileSync } from "node:fs";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";

/** The resolutions that a package of ES modules alone need not serve: those of attw's profile esm-only. */
const IGNORED = new Set(["node10", "node16-cjs"]);

const [, , tarball] = process.argv;
const bytes = readFileSync(tarball);
const { messages, pkg } = await publint({
  pack: { tarball: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) },
});
const faults = messages.map((message) => `publint: ${formatMessage(message, pkg, { color: false })}`);

const analysis = await checkPackage(createPackageFromTarballData(bytes));
if (!analysis.types) faults.push("attw: the package has no types");
else
  for (const problem of analysis.problems)
    if (!("resolutionKind" in problem && IGNORED.has(problem.resolutionKind)))
      faults.push(`attw: ${JSON.stringify(problem)}`);

for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exitCode = 1;
