// npm run debug: builds and flashes the firmware and runs it under xsbug, or under xsdb without a display.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { main, UserError } from "./command.mjs";
import {
  boardOptions,
  isRemote,
  mcconfig,
  portOption,
  psramOption,
  requirePort,
  requireSdk,
  requireSettings,
} from "./sdk.mjs";

await main("debug", "Runs the firmware on a board under the debugger.", (command) => {
  psramOption(boardOptions(portOption(command)))
    .argument("[settings...]", "settings of the firmware, key=value; data=FILE embeds another dataset")
    .option("--log", "debug in the terminal (default without a display)")
    .action(async (settings, { board, flash, psram, port: named, log }) => {
      requireSdk();
      const content = await requireSettings(settings, { board, flash, psram });
      const isInTerminal = log || !hasDisplay();
      if (isInTerminal) requireXsbugLog();
      const port = await requirePort(named);
      if (isRemote(port)) throw new UserError(`The SDK's debugger needs a local serial port, not ${port}.`);
      const options = [isInTerminal ? "-dl" : "-d", "-m"];
      await mcconfig({ board, flash, psram, kind: "debug" }, content, { options, port });
    });
});

function hasDisplay() {
  const { DISPLAY, WAYLAND_DISPLAY } = process.env;
  return process.platform !== "linux" || Boolean(DISPLAY || WAYLAND_DISPLAY);
}

function requireXsbugLog() {
  const folder = join(process.env.MODDABLE ?? "", "tools", "xsbug-log");
  if (!existsSync(join(folder, "node_modules")))
    throw new UserError(
      `The npm packages of the SDK's terminal debugger are missing: \`npm install --prefix ${folder}\`.`,
    );
}
