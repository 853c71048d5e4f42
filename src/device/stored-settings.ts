import { BootGuard } from "./boot-guard";
import { checkSetting } from "../gpt/model/config";
import type { ConsoleName } from "../gpt/base/settings";
import { crc32, formatChecksum } from "../gpt/base/crc32";
import { decodeUtf8, encodeUtf8 } from "../gpt/base/utf8";
import { InputError, printable } from "../gpt/base/errors";
import type { Storage } from "../gpt/base/platform";
import { parseDecimal } from "../gpt/base/text";

/** The settings of the console that survive a loss of power. own_share is part of the checkpoint, with the words. */
export type StoredKey = ConsoleName;

/** The file: a line with the checksum of the other lines, then a line per setting: key, value, build's value. */
export const SETTINGS_FILE = "settings.txt";
/** Name of the file when it is moved aside. */
const SETTINGS_ASIDE = "unused-settings.txt";
const MAX_BYTES = 512;

/** A value that was set, and the build's value at that time. */
interface Stored {
  readonly value: number;
  readonly build: number;
}

/**
 * The settings that the console changes. A value that was set applies until `set KEY default`, or until a firmware is
 * built with another value for that key, which then takes precedence.
 */
export class StoredSettings {
  private readonly stored = new Map<StoredKey, Stored>();
  /** Whether the file differs from the current values because writing it failed. */
  private isUnsaved = false;

  /** @param build the build's values */
  constructor(
    private readonly storage: Storage | undefined,
    readonly build: Readonly<Record<StoredKey, number>>,
  ) {}

  /** The current value. */
  value(key: StoredKey): number {
    return this.stored.get(key)?.value ?? this.build[key];
  }

  /**
   * Reads the stored settings. An invalid file is reported and ignored.
   * @param remark called with a message for the user
   * @param guard moves a file aside unread when reading it has reset the board twice
   */
  async load(remark: (message: string) => void, guard = new BootGuard(undefined)): Promise<void> {
    try {
      if (guard.begin("settings")) await this.loadNow(remark);
      else {
        await this.storage?.move(SETTINGS_FILE, SETTINGS_ASIDE);
        remark(`${SETTINGS_FILE} is kept as ${SETTINGS_ASIDE}, unread: reading it restarted the board twice.`);
      }
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      remark(error.message);
    }
    guard.end("settings");
  }

  private async loadNow(remark: (message: string) => void): Promise<void> {
    let isChanged = false;
    const entries = linesOf(await this.read()).map((line) => entryOf(line, this.build));
    for (const [key, value, build] of entries) {
      if (this.build[key] === build) this.stored.set(key, { value, build });
      else {
        isChanged = true;
        remark(`${key} was set to ${value} and is ${this.build[key]} now, the value of this build.`);
      }
    }
    if (isChanged) await this.write();
  }

  /**
   * Changes a setting and stores it; undefined restores the build's value.
   * @throws InputError (as a rejection) when it cannot be stored: then it applies until power-off
   */
  async set(key: StoredKey, value: number | undefined): Promise<void> {
    const before = this.stored.get(key)?.value;
    const build = this.build[key];
    if (value === undefined || value === build) this.stored.delete(key);
    else this.stored.set(key, { value, build });
    if (!this.storage || (this.stored.get(key)?.value === before && !this.isUnsaved)) return;
    this.isUnsaved = true;
    try {
      await this.write();
      this.isUnsaved = false;
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      throw new InputError(`${key} is ${this.value(key)} until power-off. ${error.message}`);
    }
  }

  private async read(): Promise<string> {
    const file = await this.storage?.open(SETTINGS_FILE);
    if (!file) return "";
    try {
      if (file.size > MAX_BYTES) throw bad(`it has ${file.size} bytes, more than ${MAX_BYTES}`);
      const bytes = new Uint8Array(file.size);
      const text = file.read(0, bytes) === bytes.length ? decodeUtf8(bytes) : undefined;
      if (text === undefined) throw bad("it is damaged");
      return text;
    } finally {
      file.close();
    }
  }

  private async write(): Promise<void> {
    const { storage, stored } = this;
    if (!storage) return;
    let lines = "";
    for (const [key, { value, build }] of stored) lines += `${key} ${value} ${build}\n`;
    const file = await storage.create(SETTINGS_FILE);
    try {
      file.write(encodeUtf8(`${checksumOf(lines)}\n${lines}`));
    } catch (error) {
      file.abort();
      throw error;
    }
    await file.commit();
  }
}

/** The lines after the checksum. @throws InputError when the checksum differs */
function linesOf(text: string): readonly string[] {
  if (text === "") return [];
  const [checksum, ...lines] = text.split("\n");
  if (checksumOf(lines.join("\n")) !== checksum || lines.pop() !== "") throw bad("it is damaged");
  return lines;
}

/** Parses a line: key, value and the build's value. @throws InputError when it is invalid */
function entryOf(line: string, keys: Readonly<Record<StoredKey, number>>): readonly [StoredKey, number, number] {
  const [key, first = "", second = "", ...more] = line.split(" ");
  const [value, build] = [parseDecimal(first), parseDecimal(second)];
  if (!Object.hasOwn(keys, key) || value === undefined || build === undefined || more.length > 0)
    throw bad(`it has the invalid line "${printable(line)}"`);
  checkSetting(key as StoredKey, value);
  return [key as StoredKey, value, build];
}

function checksumOf(text: string): string {
  return formatChecksum(crc32(encodeUtf8(text)));
}

function bad(why: string): InputError {
  return new InputError(`${SETTINGS_FILE} is ignored, as ${why}: the build's values apply.`);
}
