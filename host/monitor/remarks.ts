import { IS_HARDLY_TEXT } from "../../src/client/noise";
import { IS_DEBUG_BUILD } from "../../src/client/xsbug";

/* Remarks about boards whose output is not the text log. */

export const NOISE_REMARK =
  `${IS_HARDLY_TEXT}: is the speed right (--baud)? A debug build talks to xsbug at 460800 baud: ` +
  "start it with `npm run debug`, or flash a release build.";

export const XSBUG_REMARK =
  `${IS_DEBUG_BUILD}: start it with \`npm run debug\`, ` +
  "or flash a release build (`npm run build:esp32`, `npm run flash`).";
