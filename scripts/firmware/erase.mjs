// npm run erase: empties a board's flash, with everything that it has learnt.
import { main } from "./command.mjs";
import { esptool, requireEsptool } from "./esptool.mjs";
import { requirePort } from "./sdk.mjs";

await main("erase", "Erases the flash of a board: the firmware and its checkpoints.", (command) => {
  command.option("--port <port>", "serial port (default: the one with a board)").action(async ({ port: named }) => {
    await requireEsptool();
    const port = await requirePort(named);
    await esptool("erase-flash", [], { general: ["--port", port] });
  });
});
