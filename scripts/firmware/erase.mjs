// npm run erase: empties a board's flash, with everything that it has learnt.
import { main } from "./command.mjs";
import { esptool, portOptions, requireEsptool } from "./esptool.mjs";
import { portOption, requirePort } from "./sdk.mjs";

await main("erase", "Erases the flash of a board: the firmware and everything that is stored there.", (command) => {
  portOption(command).action(async ({ port: named }) => {
    await requireEsptool();
    const port = await requirePort(named);
    await esptool("erase-flash", [], { general: portOptions(port) });
  });
});
