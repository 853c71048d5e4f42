// npm run release, npm run release:full: builds the images that a release offers for download, in build/release/.
// Full images are listed in index.json, which the page reads. The ELF next to an image is for decoding panics.
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { InvalidArgumentError } from "commander";
import { CODENAME, main, ROOT, UserError, VERSION } from "./command.mjs";
import { mergeImages, requireEsptool } from "./esptool.mjs";
import { formatBytes, hasText, matchingElf, readImages } from "./images.mjs";
import { boardOptions, buildFirmware, imageFolder, requireSdk, requireSettings } from "./sdk.mjs";

await main("release", "Builds the firmware and puts its image into build/release/.", (command) => {
  boardOptions(command)
    .option("--full", "one image with bootloader and partition table, to be written at offset 0")
    .option("--from <folder>", "folder of images that are already built")
    .option("--to <folder>", "output folder", join(ROOT, "build", "release"))
    .option(
      "--source <address>",
      "with --full: the address of the source code that the page shows (https://…)",
      parseAddress,
    )
    .action(async ({ board, flash, full, from, to, source }) => {
      if (from === undefined) requireSdk();
      if (full) await requireEsptool();
      if (from === undefined) await buildFirmware({ board, flash }, await requireSettings([], { board, flash }));
      const folder = from ?? imageFolder({ board, flash });
      const { chip, application, bytes, parts } = readImages(folder, "the build printed the reason above.");
      if (!hasText(bytes, VERSION) || !hasText(bytes, CODENAME))
        throw new UserError(
          `${application} is not version ${VERSION} ${CODENAME}: \`npm run build:esp32\` builds that one.`,
        );
      const build = `esp32gpt-${VERSION}-${CODENAME}-${chip.name}-${flash}`;
      const name = `${build}${full ? "-full" : ""}.bin`;
      const output = join(to, name);
      mkdirSync(to, { recursive: true });
      if (full) {
        await mergeImages(chip.name, parts, output);
        list(to, name, { chip: chip.name, flash }, source);
      } else copyFileSync(application, output);
      // The ELF translates the addresses of a panic to source lines.
      const elf = matchingElf(folder, bytes);
      const symbols = join(to, `${build}.elf`);
      if (elf === undefined) console.log("Its ELF is missing: the addresses of a panic cannot be decoded.");
      else {
        copyFileSync(elf, symbols);
        console.log(`${relative(process.cwd(), symbols)}: ELF with symbols.`);
      }
      console.log(`${relative(process.cwd(), output)}: ${formatBytes(statSync(output).size)}.`);
    });
});

/**
 * Adds an image to the index of its folder and removes entries without a file.
 * @param {string} folder
 * @param {string} file
 * @param {{ chip: string, flash: string }} board
 * @param {string | undefined} source address of the source code of all images; undefined keeps the current one
 */
function list(folder, file, { chip, flash }, source) {
  const path = join(folder, "index.json");
  const before = readIndex(path);
  const others = before.images.filter((image) => image.file !== file && existsSync(join(folder, image.file)));
  const bytes = readFileSync(join(folder, file));
  const image = {
    file,
    name: `${chip.toUpperCase().replace(/^ESP32(?=.)/, "ESP32-")}, ${parseInt(flash)} MB`,
    chip,
    flash,
    version: VERSION,
    codename: CODENAME,
    offset: 0,
    bytes: bytes.length,
    sha256: createHash("sha256").update(bytes).digest("hex"),
  };
  const images = [...others, image].sort((a, b) => (a.file < b.file ? -1 : 1));
  writeFileSync(path, `${JSON.stringify({ source: source ?? before.source, images }, undefined, 2)}\n`);
}

/**
 * @param {string} path
 * @returns {{ source?: string, images: { file: string }[] }}
 */
function readIndex(path) {
  if (!existsSync(path)) return { images: [] };
  try {
    const index = JSON.parse(readFileSync(path, "utf8"));
    if (index.images.every((/** @type {{ file: unknown }} */ { file }) => typeof file === "string")) return index;
  } catch {
    // The error below reports it.
  }
  throw new UserError(`${path} is not a list of images: delete it, and build the images again.`);
}

/** @param {string} text */
function parseAddress(text) {
  if (!/^https:\/\/[\x21-\x7e]{1,300}$/.test(text)) throw new InvalidArgumentError("It must begin with https://.");
  return text;
}
