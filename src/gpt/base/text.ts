/*
 * Reading text by its characters, where a regular expression would do elsewhere. XS compiles one anew each
 * time that a function with a literal runs, on a heap that is small; and one that a preloaded module holds
 * makes the SDK's XS (8.2.3, fxAllocateRegExpData in xsre.c) give the collector memory that is not its own,
 * on which the chip panics. ESLint keeps them out of what the firmware uses. It stands on the ground.
 */

/** The words of a text: what white space separates. */
export function wordsOf(text: string): string[] {
  const words: string[] = [];
  let rest = text.trimStart();
  while (rest !== "") {
    const word = firstWord(rest);
    words.push(word);
    rest = rest.slice(word.length).trimStart();
  }
  return words;
}

/** What stands before the first white space. */
export function firstWord(text: string): string {
  let end = 0;
  while (end < text.length && text[end].trim() !== "") end++;
  return text.slice(0, end);
}

/** Whether a text is digits of this base, and at least one. @param base at most 16; its letters are lower case */
export function isDigits(text: string, base = 10): boolean {
  return text !== "" && digitsEnd(text, 0, base) === text.length;
}

/** A decimal number, such as -1, 0.5, 2. or 1e-4; undefined for anything else. */
export function parseDecimal(text: string): number | undefined {
  const whole = behindSign(text, 0);
  let end = digitsEnd(text, whole);
  if (end === whole) return undefined;
  if (text[end] === ".") end = digitsEnd(text, end + 1);
  if (text[end] === "e" || text[end] === "E") {
    const exponent = behindSign(text, end + 1);
    end = digitsEnd(text, exponent);
    if (end === exponent) return undefined;
  }
  return end === text.length ? Number(text) : undefined;
}

function behindSign(text: string, at: number): number {
  return text[at] === "+" || text[at] === "-" ? at + 1 : at;
}

/** The place behind the digits that begin at `at`. */
function digitsEnd(text: string, at: number, base = 10): number {
  let end = at;
  while (end < text.length && "0123456789abcdef".slice(0, base).includes(text[end])) end++;
  return end;
}
