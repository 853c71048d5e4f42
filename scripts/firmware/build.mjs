// npm run build:esp32: the firmware, by the Moddable SDK and ESP-IDF.
import { relative } from "node:path";
import { Option } from "commander";
import { main } from "./command.mjs";
import { formatBytes, readImages } from "./images.mjs";
import { boardOptions, buildFirmware, imageFolder, requireSdk, requireSettings } from "./sdk.mjs";

await main("build:esp32", "Builds the firmware.", (command) => {
  boardOptions(command)
    .argument("[settings...]", "key=value, for the program on the device; data=FILE puts another list of names into it")
    .addOption(new Option("--debug", "for the debugger xsbug").conflicts("instrumented"))
    .option("--instrumented", "prints its memory figures, and has no console")
    .action(async (settings, { board, flash, debug, instrumented }) => {
      requireSdk();
      const content = await requireSettings(settings, { board, flash });
      const kind = debug ? "debug" : instrumented ? "instrument" : "release";
      await buildFirmware({ board, flash, kind }, content);
      const folder = imageFolder({ board, flash, kind });
      const { application, bytes, partition } = readImages(folder, "mcconfig has told above what went wrong.");
      const place = relative(process.cwd(), application);
      console.log(`${place}: ${formatBytes(bytes.length)} of ${formatBytes(partition.size)}.`);
    });
});
