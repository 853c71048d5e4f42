import Digital from "embedded:io/digital";
import config from "mc/config";
import Time from "time";

/* A button between a pin and ground: by default that of pin 0, which most boards with an ESP32 have. */

/** Contacts bounce: shorter presses are none. */
const BOUNCE_MS = 20;

/** Calls `onPress` with the duration of each press, in milliseconds, when it is let go. */
export function watchButton(onPress) {
  let pressedAt;
  new Digital({
    pin: config.button ?? 0,
    mode: Digital.InputPullUp,
    edge: Digital.Rising | Digital.Falling,
    onReadable() {
      if (this.read() === 0) pressedAt ??= Time.ticks;
      else if (pressedAt !== undefined) {
        const duration = Time.delta(pressedAt);
        pressedAt = undefined;
        if (duration >= BOUNCE_MS) onPress(duration);
      }
    },
  });
}
