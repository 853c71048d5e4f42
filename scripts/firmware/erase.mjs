// npm run erase: erases a board's flash, including its checkpoint.
import { main } from "./command.mjs";
import { esptool, portOptions, requireEsptool } from "./esptool.mjs";
import { portOption, requirePort } from "./sdk.mjs";

await main("erase", "Erases a board's flash: the firmware and all stored files.", (command) => {
  portOption(command).action(async ({ port: named }) => {
    await requireEsptool();
    const port = await requirePort(named);
    await esptool("erase-flash", [], { general: portOptions(port) });
  });
});
