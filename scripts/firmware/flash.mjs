// npm run flash: writes the built firmware to a board and starts the monitor.
import { InvalidArgumentError } from "commander";
import { main, ProgramFailed, UserError } from "./command.mjs";
import { addresses, esptool, portOptions, requireEsptool } from "./esptool.mjs";
import { readImages } from "./images.mjs";
import { boardOptions, imageFolder, portOption, psramOption, requirePort, requireSdk, runMonitor } from "./sdk.mjs";

const MAX_ATTEMPTS = 10;
const HINT = "hold its BOOT button, press EN (or RESET), then release BOOT.";

await main("flash", "Writes the built firmware to a board, then opens the monitor.", (command) => {
  psramOption(boardOptions(portOption(command)))
    .option("--baud <rate>", "baud rate of the transfer", "460800")
    .option("--from <folder>", "folder of the images (default: that of `npm run build:esp32`)")
    .option("--attempts <n>", "number of connection attempts", parseCount, MAX_ATTEMPTS)
    .option("--no-monitor", "exit after writing the firmware")
    .action(async ({ board, flash, psram, port: named, baud, from, attempts, monitor }) => {
      if (from === undefined) requireSdk();
      await requireEsptool();
      const images = readImages(from ?? imageFolder({ board, flash, psram }), "`npm run build:esp32` builds it.");
      const port = await requirePort(named);
      await write(images, ["--chip", images.chip.name, ...portOptions(port, baud)], attempts);
      if (monitor) await runMonitor(port);
    });
});

/**
 * @param {ReturnType<typeof readImages>} images
 * @param {string[]} general esptool's options
 * @param {number} attempts
 */
async function write({ parts }, general, attempts) {
  for (let attempt = 1; ; attempt++) {
    const { code, output } = await esptool("write-flash", addresses(parts), {
      general: [...general, "--connect-attempts", "3"],
      check: false,
    });
    if (code === 0) return;
    if (!/Failed to connect/.test(output)) throw new ProgramFailed(code);
    if (attempt === attempts) throw new UserError(`The board did not answer in ${attempts} attempts: ${HINT}`);
    console.error(`The board does not answer (attempt ${attempt} of ${attempts}): ${HINT}`);
  }
}

/** @param {string} text */
function parseCount(text) {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError("It must be a whole number from 1.");
  return Number(text);
}
