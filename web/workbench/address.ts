import { InputError, printable } from "../../src/gpt/base/errors";
import { type NamesWith, settingNames } from "../../src/gpt/base/settings";
import { readSettings, type FirmwareSettings } from "../../src/device/settings";

/** A setting that the page supports: those of a build that define the model or its training. */
export type SettingName = NamesWith<"given", "anywhere"> & NamesWith<"kept", "model" | "record" | "run">;

/** All settings of the page, in the order of the address. */
export const NAMES = settingNames(
  ({ given, kept }) => given === "anywhere" && (kept === "model" || kept === "record" || kept === "run"),
) as readonly SettingName[];

/** What to train. The query of the page's address contains it, so that a link can. */
export interface Choice {
  /** The id of a list in lists.ts, or "own-" and a checksum for a custom one. */
  readonly list: string;
  /** Values as typed, by name of setting; an absent one has its default. */
  readonly values: Readonly<Partial<Record<SettingName, string>>>;
}

export const OWN = "own";
export const DEFAULT_CHOICE: Choice = { list: "names", values: {} };

/**
 * Parses the query of an address.
 * @throws InputError for an unknown setting, or a value that is too long
 */
export function parseAddress(query: string): Choice {
  const values: Partial<Record<SettingName, string>> = {};
  let { list } = DEFAULT_CHOICE;
  for (const [name, value] of new URLSearchParams(query)) {
    if (value.length > 40)
      throw new InputError(`The value of ${printable(name)} in the address is too long: ${printable(value)}.`);
    if (name === "list") list = value;
    else if (isSetting(name)) values[name] = value;
    else
      throw new InputError(
        `The address has ${printable(name)}, which is not a setting: the settings are list, ${NAMES.join(", ")}.`,
      );
  }
  return { list, values };
}

function isSetting(name: string): name is SettingName {
  return (NAMES as readonly string[]).includes(name);
}

/** The query of an address; equal choices have equal addresses. */
export function formatAddress({ list, values }: Choice): string {
  const given = NAMES.map((name): [string, string] => [name, values[name] ?? ""]).filter(([, value]) => value !== "");
  return new URLSearchParams([["list", list], ...given]).toString();
}

/** @throws InputError for the first invalid value */
export function settingsOf({ values }: Choice): FirmwareSettings {
  return readSettings(values);
}
