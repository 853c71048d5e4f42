import { atMost, numberOf, tooMany } from "./arguments";
import { changeWords, type Command, sayAll } from "./command";
import type { Device } from "../device";
import { InputError, printable } from "../../gpt/base/errors";
import { DEFAULT_SHARE } from "../../gpt/data/own-words";
import { checkSetting } from "../../gpt/model/config";
import { PROTOCOL_VERSION } from "../../protocol/lines";
import type { StoredKey } from "../stored-settings";

type NumberKey = StoredKey | "own_share";

/** The settings by name: the current value, and the build's value where there is one. */
type Values = Readonly<Record<string, { readonly value: string | number; readonly build?: number }>>;

/** A client asked for an unsupported protocol version: the log falls back to text. */
export class OtherProtocol extends InputError {}

/** Commands that change settings at run time. */
export const SETTING_COMMANDS: readonly Command[] = Object.freeze([
  Object.freeze<Command>({
    name: "set log",
    takes: "text|json",
    help: "sets the log's format: for people or programs",
    order: "at once",
    isFarewell: (tail) => tail.trimEnd() === "text",
    run: ({ device }, tail) => setLog(device, tail),
  }),
  Object.freeze<Command>({
    name: "set",
    takes: "[KEY VALUE|default]",
    help: "log_every, save_every, temperature, top_k, top_p, own_share",
    order: "asks",
    run: ({ device }, tail) => set(device, tail),
  }),
]);

/** Lists the settings, or changes one. */
function set(device: Device, tail: string): Promise<void> {
  const [key, value] = atMost(2, tail);
  const values = valuesOf(device);
  if (key === undefined) return sayAll(device, listOf(values));
  if (!Object.hasOwn(values, key))
    throw new InputError(`There is no setting ${printable(key)}: there are ${Object.keys(values).join(", ")}.`);
  const number = value === "default" ? undefined : numberOf(key, value ?? "");
  if (number !== undefined) checkSetting(key as NumberKey, number);
  return setNumber(device, key as NumberKey, number).then(() => device.say(`${key} ${valuesOf(device)[key].value}`));
}

function valuesOf({ log, settings, trainer }: Device): Values {
  const stored = (key: StoredKey): Values[string] => ({ value: settings.value(key), build: settings.build[key] });
  return {
    log: { value: log.isJson ? "json" : "text" },
    log_every: stored("log_every"),
    save_every: stored("save_every"),
    temperature: stored("temperature"),
    top_k: stored("top_k"),
    top_p: stored("top_p"),
    own_share: { value: trainer.dataset.own?.share ?? DEFAULT_SHARE, build: DEFAULT_SHARE },
  };
}

/** Changes a setting; undefined restores the build's value. Resolves when it is stored. */
function setNumber(device: Device, key: NumberKey, value: number | undefined): Promise<void> {
  if (key !== "own_share") return device.set(key, value);
  changeWords(device, (own) => (own.share = value ?? DEFAULT_SHARE));
  return Promise.resolve();
}

/** The current values, and the build's values that differ from them. */
function listOf(values: Values): readonly string[] {
  const others: string[] = [];
  for (const [name, { value, build }] of Object.entries(values))
    if (build !== undefined && build !== value) others.push(`${name} ${build}`);
  const lines = Object.keys(values).map((name) => `${name} ${values[name].value}`);
  return others.length === 0 ? lines : [...lines, `The build has ${others.join(", ")}: restore with set KEY default.`];
}

/** Switches the log between text and JSON. */
function setLog(device: Device, tail: string): void {
  const [value, version] = atMost(2, tail);
  if (value !== "text" && value !== "json") throw new InputError("log is text or json.");
  if (value === "text" && version !== undefined) throw tooMany(2);
  if (version !== undefined && Number(version) !== PROTOCOL_VERSION)
    throw new OtherProtocol(`This device supports protocol version ${PROTOCOL_VERSION}, not ${printable(version)}.`);
  device.setLog(value === "json");
}
