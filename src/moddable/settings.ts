import { type AppConfig, DEFAULT_APP } from "../app";
import { DEFAULT_TRAINING, PRESETS, type PresetName } from "../config";
import type { OpsName } from "../ops";

/** What mc/config holds: manifest.json's values, or the strings of mcconfig's command line. */
export type Settings = Readonly<Record<string, string | number | undefined>>;

export interface Firmware {
  readonly app: AppConfig;
  readonly ops: OpsName;
  /** Pins of UART0; -1 for the chip's own. */
  readonly transmit: number;
  readonly receive: number;
}

/** What to do, from the configuration of the build. Values that make no sense are refused by the app. */
export function readSettings(settings: Settings): Firmware {
  const number = (name: string, otherwise: number): number => {
    const value = settings[name];
    return value === undefined || value === "" ? otherwise : Number(value);
  };
  const preset = String(settings.preset ?? "esp32gpt") as PresetName;
  const temperature = number("temperature", Object.hasOwn(PRESETS, preset) ? PRESETS[preset].temperature : 1);
  // On the ESP32 Math.random() is the chip's generator of true random numbers.
  const seed =
    settings.seed === "random" ? 1 + Math.floor(Math.random() * 0xfffffffe) : number("seed", DEFAULT_APP.seed);
  return {
    app: {
      ...DEFAULT_APP,
      model: { preset },
      training: { steps: number("steps", DEFAULT_TRAINING.steps), holdout: number("holdout", 0) },
      seed,
      samples: number("samples", DEFAULT_APP.samples),
      temperature,
    },
    ops: settings.ops === "typescript" ? "typescript" : "native",
    transmit: number("transmit", -1),
    receive: number("receive", -1),
  };
}
