/*
 * Parsing without regular expressions. XS compiles a regular expression literal each time that its function
 * runs, on a small heap; and one that a preloaded module holds makes the SDK's XS (8.2.3,
 * fxAllocateRegExpData in xsre.c) hand the collector memory that it does not own, on which the chip panics.
 * ESLint forbids them in the firmware's modules. This file imports nothing.
 */

/** The words of a text, separated by white space. */
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

/** The text before the first white space. */
export function firstWord(text: string): string {
  let end = 0;
  while (end < text.length && text[end].trim() !== "") end++;
  return text.slice(0, end);
}

/** Whether a text consists of one or more digits. @param base at most 16; letters are lower case */
export function isDigits(text: string, base = 10): boolean {
  return text !== "" && digitsEnd(text, 0, base) === text.length;
}

/** Parses a decimal number such as -1, 0.5, 2. or 1e-4; undefined for anything else. */
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

/** The index after the digits that begin at `at`. */
function digitsEnd(text: string, at: number, base = 10): number {
  let end = at;
  while (end < text.length && "0123456789abcdef".slice(0, base).includes(text[end])) end++;
  return end;
}
