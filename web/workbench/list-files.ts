import { crc32, formatChecksum } from "../../src/gpt/base/crc32";
import { InputError, printable } from "../../src/gpt/base/errors";
import { OWN } from "./address";
import { LISTS } from "./lists";
import { PassingError } from "./passing-error";
import { type OwnList, readList, saveList } from "./run-store";

/** The files of the lists: those that the page offers, and the user's own, which the browser keeps. */
export class ListFiles {
  private readonly loaded = new Map<string, OwnList>();

  /**
   * The list of an id.
   * @throws InputError (as a rejection) if there is none, PassingError if it cannot be loaded now
   */
  async of(id: string): Promise<OwnList> {
    const present = this.loaded.get(id);
    if (present) return present;
    const list = isOwn(id) ? await readList(id) : await fetchList(id);
    if (!list)
      throw new InputError("The address refers to a custom list that this browser does not have: provide it here.");
    this.loaded.set(id, list);
    return list;
  }

  /** Keeps a list of the user; resolves to its id. @param file its name in messages */
  async add(file: string, bytes: Uint8Array): Promise<string> {
    const id = `${OWN}-${formatChecksum(crc32(bytes))}`;
    const list = { file, bytes };
    this.loaded.set(id, list);
    await saveList(id, list);
    return id;
  }

  /** A list of the user that has been loaded; undefined for the id of another one. */
  own(id: string): OwnList | undefined {
    return isOwn(id) ? this.loaded.get(id) : undefined;
  }
}

/** Whether an id is that of a list of the user. */
export function isOwn(id: string): boolean {
  return id.startsWith(`${OWN}-`);
}

async function fetchList(id: string): Promise<OwnList> {
  const list = LISTS.find((other) => other.id === id);
  if (!list)
    throw new InputError(
      `There is no list ${printable(id)}: choose one of ${LISTS.map((other) => other.id).join(", ")}.`,
    );
  const response = await fetch(list.url).catch(() => undefined);
  if (!response?.ok) throw new PassingError(`The list ${list.title} could not be loaded: try again.`);
  return { file: `${list.id}.txt`, bytes: new Uint8Array(await response.arrayBuffer()) };
}
