import { InputError, printable } from "../../src/gpt/base/errors";
import { settingNames } from "../../src/gpt/base/settings";
import { readSettings, type FirmwareSettings } from "../../src/device/settings";
import { DEFAULT_MODEL } from "../../src/gpt/model/config";
import type { Choice, SettingName } from "./choice";
import { suitedValues } from "./lists";

export type { Choice, SettingName } from "./choice";

/** All settings of the page, in the order of the address. */
export const NAMES = settingNames(
  ({ given, kept }) => given === "anywhere" && (kept === "model" || kept === "record" || kept === "run"),
) as readonly SettingName[];

export const OWN = "own";
export const DEFAULT_CHOICE: Choice = { list: "names", values: {} };

/** Steps per second; Infinity: as fast as possible; undefined: the default, which shows a whole run. */
export type Speed = number | undefined;

/**
 * Parses the query of an address; undefined if it chooses nothing. A list alone comes with the settings that suit it,
 * as in the page's menu. Parameters that are not settings are ignored: sites add their own to links.
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
  if (list !== undefined && Object.values(values).every((value) => value === ""))
    return { list, values: suitedValues(list) };
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

/** The query of an address, which parseAddress() reads as the same choice; equal choices have equal addresses. */
export function formatAddress({ list, values }: Choice): string {
  const given = NAMES.map((name): [string, string] => [name, values[name] ?? ""]).filter(([, value]) => value !== "");
  // A list alone would be read with the settings that suit it.
  if (given.length === 0 && Object.keys(suitedValues(list)).length > 0) given.push(["preset", DEFAULT_MODEL.preset]);
  return new URLSearchParams([["list", list], ...given]).toString();
}

/** @throws InputError for the first invalid value */
export function settingsOf({ values }: Choice): FirmwareSettings {
  return readSettings(values);
}
