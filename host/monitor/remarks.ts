/* What the user is told of a board that does not speak to people. */

export const NOISE_REMARK =
  "What comes is hardly text: is the speed right (--baud)? A debug build talks to xsbug at 460800 baud: " +
  "start it with `npm run debug`, or flash a release build.";

export const XSBUG_REMARK =
  "This is a debug build, which talks to xsbug, the SDK's debugger: start it with `npm run debug`, " +
  "or flash a release build (`npm run build:esp32`, `npm run flash`).";
