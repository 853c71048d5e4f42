import { type Setting, SETTINGS } from "../../src/gpt/base/settings";
import { DEFAULT_MODEL, mlpWidthOf, PRESETS, type PresetName, trainingConfig } from "../../src/gpt/model/config";
import { type Choice, NAMES, type SettingName } from "../workbench/address";

/** A form field for a setting. */
export interface Field {
  readonly name: SettingName;
  readonly hint: string;
  /** Limits of a number. */
  readonly least: number | undefined;
  readonly most: number | undefined;
  readonly step: number | "any";
  readonly choices: readonly string[] | undefined;
}

/** The fields for the settings of the model or of the training. */
export function fieldsOf(kept: Setting["kept"]): readonly Field[] {
  return NAMES.flatMap((name) => {
    const setting: Setting = SETTINGS[name];
    if (setting.kept !== kept || name === "preset") return [];
    const { type, doc: hint, least, most, choices } = setting;
    return [{ name, hint, least, most, step: type === "whole" ? 1 : "any", choices }];
  });
}

export function presetOf({ preset = "" }: Choice["values"]): PresetName {
  return Object.hasOwn(PRESETS, preset) ? (preset as PresetName) : DEFAULT_MODEL.preset;
}

/** The values of empty fields. */
export function usualValues(values: Choice["values"]): Choice["values"] {
  const preset = presetOf(values);
  const count = (name: "steps" | "batch_size" | "n_embd"): number | undefined => {
    const value = Number(values[name] ?? "");
    return value > 0 ? value : undefined;
  };
  const { steps, batchSize } = trainingConfig(preset, {});
  const { learningRate } = trainingConfig(preset, {
    steps: count("steps") ?? steps,
    batchSize: count("batch_size") ?? batchSize,
  });
  const nEmbd = count("n_embd") ?? DEFAULT_MODEL.nEmbd;
  return {
    ...Object.fromEntries(NAMES.map((name) => [name, String(SETTINGS[name].default)])),
    mlp_width: String(mlpWidthOf({ ...DEFAULT_MODEL, nEmbd })),
    dtype: "f32",
    relative_bias: PRESETS[preset].relativeBias ? "on" : "off",
    steps: String(steps),
    batch_size: String(batchSize),
    learning_rate: String(Number(learningRate.toPrecision(3))),
  };
}
