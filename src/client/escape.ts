import { isVisible } from "../gpt/base/errors";

/** What TextDecoder substitutes for invalid UTF-8. */
const REPLACEMENT = "\ufffd";

/**
 * Escapes text of a board for a terminal or a page: control characters except CR, LF and tab, invisible characters, and
 * invalid UTF-8 become `\u{…}`.
 */
export function escapeText(text: string): string {
  return text.replace(/[^\n\r\t\x20-\x7e]/gu, (character) => {
    const codePoint = character.codePointAt(0) ?? 0;
    const isShown = character !== REPLACEMENT && isVisible(codePoint);
    return isShown ? character : `\\u{${codePoint.toString(16)}}`;
  });
}

/** Escapes a line; CR and LF as well. */
export function escapeLine(line: string): string {
  return escapeText(line).replaceAll("\r", "\\r").replaceAll("\n", "\\n");
}
