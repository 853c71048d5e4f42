// npm run build:esp32: builds the firmware with the Moddable SDK and ESP-IDF.
import { relative } from "node:path";
import { Option } from "commander";
import { main } from "./command.mjs";
import { formatBytes, readImages } from "./images.mjs";
import { boardOptions, buildFirmware, imageFolder, psramOption, requireSdk, requireSettings } from "./sdk.mjs";

await main("build:esp32", "Builds the firmware.", (command) => {
  psramOption(boardOptions(command))
    .argument("[settings...]", "settings of the firmware, key=value; data=FILE embeds another dataset")
    .addOption(new Option("--debug", "build for the debugger xsbug").conflicts("instrumented"))
    .option("--instrumented", "print memory statistics; there is no console")
    .action(async (settings, { board, flash, psram, debug, instrumented }) => {
      requireSdk();
      const content = await requireSettings(settings, { board, flash, psram });
      const kind = debug ? "debug" : instrumented ? "instrument" : "release";
      await buildFirmware({ board, flash, psram, kind }, content);
      const folder = imageFolder({ board, flash, psram, kind });
      const { application, bytes, partition } = readImages(folder, "mcconfig printed the reason above.");
      const place = relative(process.cwd(), application);
      console.log(`${place}: ${formatBytes(bytes.length)} of ${formatBytes(partition.size)}.`);
    });
});
