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

/** Steps per second; Infinity: as fast as possible; undefined: the default, which shows a whole run. */
export type Speed = number | undefined;

/**
 * Parses the query of an address; undefined if it chooses nothing. Parameters that are not settings are ignored: sites
 * add their own to links.
 * @throws InputError for a value that is too long
 */
export function parseAddress(query: string): Choice | undefined {
  const values: Partial<Record<SettingName, string>> = {};
  let list: string | undefined;
  for (const [name, value] of new URLSearchParams(query)) {
    if (name !== "list" && !isSetting(name)) continue;
    if (value.length > 40)
      throw new InputError(`The value of ${printable(name)} in the address is too long: ${printable(value)}.`);
    if (name === "list") list = value;
    else values[name] = value;
  }
  if (list === undefined && Object.keys(values).length === 0) return undefined;
  return { list: list ?? DEFAULT_CHOICE.list, values };
}

/** The speed in the query of an address: speed=max, or steps per second; anything else is the default. */
export function parseSpeed(query: string): Speed {
  const given = new URLSearchParams(query).get("speed");
  if (given === "max") return Infinity;
  const speed = Number(given ?? "");
  return speed > 0 && speed < Infinity ? speed : undefined;
}

/** The speed as it stands behind the choice in an address; "" for the default. */
export function formatSpeed(speed: Speed): string {
  return speed === undefined ? "" : `&speed=${speed === Infinity ? "max" : speed}`;
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
