import { InputError, printable } from "../../src/gpt/base/errors";
import { type NamesWith, settingNames } from "../../src/gpt/base/settings";
import { readSettings, type FirmwareSettings } from "../../src/device/settings";

/** A setting that the page has: of those that a build can have, what shapes the model or its training. */
export type SettingName = NamesWith<"given", "anywhere"> & NamesWith<"kept", "model" | "record">;

/** All of them, in the order of the address. */
export const NAMES = settingNames(
  ({ given, kept }) => given === "anywhere" && (kept === "model" || kept === "record"),
) as readonly SettingName[];

/** What is to be trained: the address of the page says it, so that a link can. */
export interface Choice {
  /** Of lists.ts, or "own" for one of the reader's own. */
  readonly list: string;
  /** By the names of the firmware's settings, as they were written; what is left out is the default. */
  readonly values: Readonly<Partial<Record<SettingName, string>>>;
}

export const OWN = "own";
export const DEFAULT_CHOICE: Choice = { list: "names", values: {} };

/** @throws InputError for a name that is none of the settings, or too long a value */
export function parseAddress(query: string): Choice {
  const values: Partial<Record<SettingName, string>> = {};
  let { list } = DEFAULT_CHOICE;
  for (const [name, value] of new URLSearchParams(query)) {
    if (value.length > 40) throw new InputError(`The address has ${printable(name)} with ${printable(value)}.`);
    if (name === "list") list = value;
    else if (isSetting(name)) values[name] = value;
    else
      throw new InputError(
        `The address has ${printable(name)}, which is no setting: there are list, ${NAMES.join(", ")}.`,
      );
  }
  return { list, values };
}

function isSetting(name: string): name is SettingName {
  return (NAMES as readonly string[]).includes(name);
}

/** The same choice always has the same address. */
export function formatAddress({ list, values }: Choice): string {
  const given = NAMES.map((name): [string, string] => [name, values[name] ?? ""]).filter(([, value]) => value !== "");
  return new URLSearchParams([["list", list], ...given]).toString();
}

/** @throws InputError for the first value that makes no sense */
export function settingsOf({ values }: Choice): FirmwareSettings {
  return readSettings(values);
}
