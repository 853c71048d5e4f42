import { isVisible } from "../gpt/base/errors";

/** What TextDecoder puts in the place of bytes that are no UTF-8. */
const REPLACEMENT = "\ufffd";

/**
 * Text of a board as a terminal or a page may show it: controls other than the ends of lines and tabs, what is
 * invisible, and bytes that were no UTF-8, as their codes.
 */
export function escapeText(text: string): string {
  return text.replace(/[^\n\r\t\x20-\x7e]/gu, (character) => {
    const codePoint = character.codePointAt(0) ?? 0;
    const isShown = character !== REPLACEMENT && isVisible(codePoint);
    return isShown ? character : `\\u{${codePoint.toString(16)}}`;
  });
}

/** A line likewise, with nothing in it that ends it, or goes back to its beginning. */
export function escapeLine(line: string): string {
  return escapeText(line).replaceAll("\r", "\\r").replaceAll("\n", "\\n");
}
