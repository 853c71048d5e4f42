import { delMany, get, keys, set } from "idb-keyval";
import type { KeptCurve } from "../src/program/loss-curve";
import type { Sample } from "./learner/messages";

/*
 * What a browser keeps of the last trainings: beside the checkpoints of the workers what the page shows, and which
 * training was the last.
 */

/** Older trainings are forgotten. */
const MOST_RUNS = 8;
const RECENT = "esp32gpt";
const SHOWN = "shown";
const LIST = "list";

/** What a page shows of a training beside its model. */
export interface Shown {
  readonly curve: KeptCurve;
  readonly samples: readonly Sample[];
  readonly lastNames: readonly Sample[];
}

/** Where a training is kept, by its address. */
export function folderOf(address: string): string {
  return `runs/${address}`;
}

export function readShown(address: string): Promise<Shown | undefined> {
  return reading(`${folderOf(address)}/${SHOWN}`);
}

export async function keepShown(address: string, shown: Shown): Promise<void> {
  await set(`${folderOf(address)}/${SHOWN}`, shown).catch(() => undefined);
}

/** The list that somebody gave, by its name in the address. */
export function readList(name: string): Promise<OwnList | undefined> {
  return reading(`${LIST}/${name}`);
}

export async function keepList(name: string, list: OwnList): Promise<void> {
  await set(`${LIST}/${name}`, list).catch(() => undefined);
}

export interface OwnList {
  /** What messages call it. */
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** The addresses of the last trainings, the latest first. */
export function recentAddresses(): readonly string[] {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(RECENT) ?? "[]");
    return Array.isArray(found) ? found.filter((address) => typeof address === "string") : [];
  } catch {
    return [];
  }
}

/** A training has begun: it is the last one, and the oldest are forgotten. */
export async function remember(address: string): Promise<void> {
  const recent = [address, ...recentAddresses().filter((other) => other !== address)].slice(0, MOST_RUNS);
  try {
    localStorage.setItem(RECENT, JSON.stringify(recent));
    const isKept = (key: string): boolean =>
      recent.some((other) => key.startsWith(`${folderOf(other)}/`) || key === `${LIST}/${listOf(other)}`);
    await delMany((await keys<string>()).filter((key) => /^(runs|list)\//.test(key) && !isKept(key)));
  } catch {
    // This browser keeps nothing.
  }
}

function listOf(address: string): string {
  return new URLSearchParams(address).get(LIST) ?? "";
}

async function reading<T>(key: string): Promise<T | undefined> {
  return get<T>(key).catch(() => undefined);
}
