// npm run debug: builds, writes and runs the firmware under xsbug, or without a display under xsdb.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { main, UserError } from "./command.mjs";
import { boardOptions, isRemote, mcconfig, portOption, requirePort, requireSdk, requireSettings } from "./sdk.mjs";

await main("debug", "Runs the firmware on a board under the debugger.", (command) => {
  boardOptions(portOption(command))
    .argument("[settings...]", "key=value, for the program on the device; data=FILE puts another list of names into it")
    .option("--log", "in the terminal, as where there is no display")
    .action(async (settings, { board, flash, port: named, log }) => {
      requireSdk();
      const content = await requireSettings(settings, { board, flash });
      const isInTerminal = log || !hasDisplay();
      if (isInTerminal) requireXsbugLog();
      const port = await requirePort(named);
      if (isRemote(port)) throw new UserError(`The SDK's debugger takes a serial port of this computer, not ${port}.`);
      const options = [isInTerminal ? "-dl" : "-d", "-m"];
      await mcconfig({ board, flash, kind: "debug" }, content, { options, port });
    });
});

function hasDisplay() {
  const { DISPLAY, WAYLAND_DISPLAY } = process.env;
  return process.platform !== "linux" || Boolean(DISPLAY || WAYLAND_DISPLAY);
}

function requireXsbugLog() {
  const folder = join(process.env.MODDABLE ?? "", "tools", "xsbug-log");
  if (!existsSync(join(folder, "node_modules")))
    throw new UserError(`The SDK's debugger for the terminal lacks its packages: \`npm install --prefix ${folder}\`.`);
}
