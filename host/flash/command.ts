import type { Command } from "commander";
import type { Output } from "../files/output";
import { parseBaud } from "../monitor/command";
import type { FlashOptions } from "./flash";

/**
 * Adds what writes an image into a board to the command line.
 * @param ending asks it to end
 */
export function addFlash(program: Command, output: Output, ending: AbortSignal): void {
  program
    .command("flash")
    .description(
      "write a full image (-full.bin) into a board, then open the monitor; what the board has stored is kept",
    )
    .argument("<image>", "the image")
    .option(
      "--port <port>",
      "serial port, rfc2217://host:port, or tcp://host:port where the chip waits in its loader " +
        "(default: $UPLOAD_PORT, $ESPTOOL_PORT, or the one with a board)",
    )
    .option("--baud <rate>", "speed of the transfer (default: 460800)", parseBaud)
    .option("--erase", "erase everything first, the board's checkpoint and settings as well", false)
    .option("--monitor", "open the monitor afterwards (default: at a terminal)")
    .option("--no-monitor", "end when the image is written")
    .action(async (image: string, options: FlashOptions) => {
      // Loaded where it is needed: other commands do without.
      const { flashImage } = await import("./flash");
      await flashImage(image, options, output, ending);
    });
}
