import { delMany, get, keys, set } from "idb-keyval";
import { database } from "../../src/places/browser/database";
import { type SavedView, SHOWN } from "../worker/messages";

/*
 * What the browser keeps: own lists, which trainings were the last, and what the workers have saved of those.
 */

/** Older trainings are deleted. */
const MAX_RUNS = 8;
const RECENT = "esp32gpt";
const LIST = "list";

/** The folder of a training in the browser's storage. */
export function folderOf(address: string): string {
  return `runs/${address}`;
}

export async function readSavedView(address: string): Promise<SavedView | undefined> {
  const found = await read(`${folderOf(address)}/${SHOWN}`);
  return isShown(found) ? found : undefined;
}

/** Another version of the page may have saved another format. */
function isShown(value: unknown): value is SavedView {
  const { curve, lastNames } = (value ?? {}) as Partial<SavedView>;
  if (!curve || ![curve.points, curve.validation, lastNames].every(Array.isArray)) return false;
  return [curve.lastStep, curve.stride, curve.sum, curve.weight].every(Number.isFinite);
}

/** A custom dataset by its id in the address. */
export async function readList(name: string): Promise<OwnList | undefined> {
  const found = (await read(`${LIST}/${name}`)) as Partial<OwnList> | undefined;
  const { file, bytes } = found ?? {};
  return typeof file === "string" && bytes instanceof Uint8Array ? { file, bytes } : undefined;
}

export function saveList(name: string, list: OwnList): Promise<void> {
  return write(`${LIST}/${name}`, list);
}

export interface OwnList {
  /** Its name in messages. */
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** The addresses of the last trainings, latest first. */
export function recentAddresses(): readonly string[] {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(RECENT) ?? "[]");
    return Array.isArray(found) ? found.filter((address) => typeof address === "string") : [];
  } catch {
    return [];
  }
}

/** Records a started training as the last one and deletes the oldest. */
export async function remember(address: string): Promise<void> {
  const recent = [address, ...recentAddresses().filter((other) => other !== address)].slice(0, MAX_RUNS);
  try {
    localStorage.setItem(RECENT, JSON.stringify(recent));
    const isKept = (key: string): boolean =>
      recent.some((other) => key.startsWith(`${folderOf(other)}/`) || key === `${LIST}/${listOf(other)}`);
    const old = (await keys<string>(database)).filter((key) => !isKept(key));
    await delMany(old, database);
  } catch {
    // This browser has no storage.
  }
}

function listOf(address: string): string {
  return new URLSearchParams(address).get(LIST) ?? "";
}

/** Reads a value. Browsers without storage throw at once or reject. */
async function read(key: string): Promise<unknown> {
  try {
    return await get<unknown>(key, database);
  } catch {
    return undefined;
  }
}

async function write(key: string, value: unknown): Promise<void> {
  try {
    await set(key, value, database);
  } catch {
    // Without storage, data lasts as long as the page.
  }
}
