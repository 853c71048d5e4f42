/**
 * First and last of the ranges of code points that do not show what they are: controls, white space
 * other than the space, joiners, variation selectors, bidirectional controls, surrogates, private use.
 */
const INVISIBLE = Object.freeze([
  0x00, 0x1f, 0x7f, 0xa0, 0xad, 0xad, 0x34f, 0x34f, 0x61c, 0x61c, 0x115f, 0x1160, 0x1680, 0x1680, 0x17b4, 0x17b5,
  0x180b, 0x180f, 0x2000, 0x200f, 0x2028, 0x202f, 0x205f, 0x206f, 0x3000, 0x3000, 0x3164, 0x3164, 0xd800, 0xf8ff,
  0xfe00, 0xfe0f, 0xfeff, 0xfeff, 0xffa0, 0xffa0, 0xfff0, 0xfffb, 0xfffe, 0xffff, 0x1d173, 0x1d17a, 0xe0000, 0x10ffff,
]);

/** Characters of a foreign text that a message quotes. */
const QUOTED = 60;

/** Characters of a file's name that a message shows. */
const QUOTED_PATH = 200;

/** Whether a character can be told from others by looking at it. */
export function isVisible(codePoint: number): boolean {
  for (let i = 0; i < INVISIBLE.length; i += 2)
    if (codePoint >= INVISIBLE[i] && codePoint <= INVISIBLE[i + 1]) return false;
  return true;
}

/**
 * Text from a file, a board or a command line as a message may show it: what is invisible, or would move
 * the cursor of a terminal, as its code (\u{1b}), and cut to `most` characters.
 */
export function printable(text: string, most = QUOTED): string {
  let result = "";
  let count = 0;
  for (const character of text) {
    const codePoint = character.codePointAt(0) ?? 0;
    const shown = isVisible(codePoint) ? character : `\\u{${codePoint.toString(16)}}`;
    count += shown.length;
    if (count > most) return `${result}…`;
    result += shown;
  }
  return result;
}

/** The name of a file, likewise. */
export function printablePath(path: string): string {
  return printable(path, QUOTED_PATH);
}
