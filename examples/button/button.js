import { clock } from "esp32gpt/platform";

/* A button for a computer without one: it presses itself. moddable/button.js is the one of a board. */

/** How long it is pressed, in milliseconds, one press after the other. */
const PRESSES = [80, 90, 800, 70, 900, 80, 80, 700, 90];

/** Calls `onPress` with the duration of each press. */
export function watchButton(onPress) {
  let count = 0;
  const press = () => {
    onPress(PRESSES[count++]);
    if (count < PRESSES.length) clock.schedule(press);
  };
  clock.schedule(press);
}
