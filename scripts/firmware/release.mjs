// npm run release, npm run release:full: the images that a release offers for download, in build/release/.
import { copyFileSync, mkdirSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { CODENAME, main, ROOT, UserError, VERSION } from "./command.mjs";
import { mergeImages, requireEsptool } from "./esptool.mjs";
import { formatBytes, hasText, readImages } from "./images.mjs";
import { boardOptions, buildFirmware, imageFolder, requireSdk, requireSettings } from "./sdk.mjs";

await main("release", "Builds the firmware and puts its image into build/release/.", (command) => {
  boardOptions(command)
    .option("--full", "one image with bootloader and partition table, to be written at 0")
    .option("--from <folder>", "images that are built already")
    .option("--to <folder>", "where the image goes", join(ROOT, "build", "release"))
    .action(async ({ board, flash, full, from, to }) => {
      if (from === undefined) requireSdk();
      if (full) await requireEsptool();
      if (from === undefined) await buildFirmware({ board, flash }, await requireSettings([], board));
      const folder = from ?? imageFolder({ board, flash });
      const { chip, application, bytes, parts } = readImages(folder, "the build has told above what went wrong.");
      if (!hasText(bytes, VERSION) || !hasText(bytes, CODENAME))
        throw new UserError(
          `${application} is not version ${VERSION} ${CODENAME}: \`npm run build:esp32\` builds that one.`,
        );
      const name = `esp32gpt-${VERSION}-${CODENAME}-${chip.name}-${flash}${full ? "-full" : ""}.bin`;
      const output = join(to, name);
      mkdirSync(to, { recursive: true });
      if (full) await mergeImages(chip.name, parts, output);
      else copyFileSync(application, output);
      console.log(`${relative(process.cwd(), output)}: ${formatBytes(statSync(output).size)}.`);
    });
});
