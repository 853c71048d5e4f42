import { InputError, printable } from "../base/errors";
import { encodeUtf8 } from "../base/utf8";
import { isAdmissible, SPACE } from "./characters";

/* The names of symbols: what they may be, and how a text has them. */

/** Maximum bytes of all names in UTF-8, with a space behind each. */
const MAX_NAME_BYTES = 3072;

/** The names in a text, where spaces separate them. */
export function namesIn(text: string): string[] {
  return text.split(" ").filter((name) => name !== "");
}

/**
 * @param most number of names
 * @throws InputError for another number of names, the first that is not one, or names that are too long together
 */
export function checkNames(names: readonly string[], most: number): void {
  if (names.length < 1 || names.length > most)
    throw new InputError(`A vocabulary has 1 to ${most} symbols, not ${names.length}.`);
  let bytes = 0;
  names.forEach((name, i) => {
    const isWord = name !== "" && Array.from(name).every((character) => isPartOfName(character.codePointAt(0) ?? 0));
    if (!isWord)
      throw new InputError(`Symbol ${i} has the name "${printable(name)}": a name is one word, without spaces and controls.`);
    if (names.indexOf(name) < i) throw new InputError(`Two symbols have the name "${printable(name)}".`);
    bytes += encodeUtf8(name).length + 1;
  });
  if (bytes > MAX_NAME_BYTES)
    throw new InputError(`The names of the symbols take ${bytes} bytes, and a checkpoint has room for ${MAX_NAME_BYTES}.`);
}

function isPartOfName(codePoint: number): boolean {
  return isAdmissible(codePoint) && codePoint !== SPACE;
}
