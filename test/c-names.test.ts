import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./helpers";
import { temporaryFolder } from "./support/cli";
import { skipUnless } from "./support/skipping";

/*
 * The library and the firmware are linked into one program with the SDK, ESP-IDF and an app: C has one list of names
 * for all of them, and the SDK's makefiles name an object by its file alone.
 */

const COMPILER = process.env.CC ?? "cc";
const XS = join(ROOT, "node_modules", "@agoric", "xsnap", "moddable", "xs", "includes");
const IDF = join(ROOT, "test", "support", "idf");
const FOLDERS = [join("src", "gpt", "native"), join("src", "firmware", "chip", "esp32")];
/** The name that the linker's --wrap asks for. */
const WRAPPER = "__wrap_esp_panic_handler";
const at = temporaryFolder();

const cFiles = (folder: string): string[] => readdirSync(join(ROOT, folder)).filter((name) => /\.[ch]$/.test(name));

/** What a file shows to the linker, compiled with these options. */
function namesOf(folder: string, file: string, ...options: string[]): string[] {
  const object = at("names.o");
  const command = `${COMPILER} "$@"`;
  const words = ["-isystem", XS, "-I", IDF, ...options, "-c", join(ROOT, folder, file), "-o", object];
  execFileSync("sh", ["-c", command, COMPILER, ...words], { stdio: "pipe" });
  const text = execFileSync("nm", ["-g", "--defined-only", object], { encoding: "utf8" });
  return text.split("\n").flatMap((line) => (line === "" ? [] : (line.split(" ").at(-1) ?? "")));
}

test.each(FOLDERS)("C files in %s are named gpt_*", (folder) => {
  expect(cFiles(folder).filter((name) => !name.startsWith("gpt_"))).toEqual([]);
});

const hasTools = [COMPILER, "nm"].every(
  (name) => spawnSync("sh", ["-c", `${name} --version`], { stdio: "pipe" }).status === 0,
);

skipUnless(hasTools, `names in C, which need a C compiler (${COMPILER}) and nm`).describe("names in C", () => {
  test.each(FOLDERS)("what %s shows to the linker is named gpt_*", (folder) => {
    const names = cFiles(folder)
      .filter((file) => file.endsWith(".c"))
      .flatMap((file) => [...namesOf(folder, file), ...namesOf(folder, file, "-DGPT_CHIP", "-DWITH_USB")]);
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter((name) => !name.startsWith("gpt_") && name !== WRAPPER)).toEqual([]);
  });
});
