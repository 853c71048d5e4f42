/*
 * Unicode's canonical equivalence with the engine's normalize(): in the bundle for pages and Node that only uses models,
 * dist/inference.js, it takes the place of src/gpt/data/canonical.ts, whose table is larger than the rest of the bundle.
 * It knows the forms NFC and NFD and those between, but does not find the few characters that no form composes.
 */

/** The code points of a text in NFD. */
export function decomposed(text: string): number[] {
  return Array.from(text.normalize("NFD"), (character) => character.codePointAt(0) ?? 0);
}

/** Whether a character is shown with the one before it. */
export function isMark(codePoint: number): boolean {
  return /\p{M}/u.test(String.fromCodePoint(codePoint));
}

/**
 * Rewrites a text with known characters where it has equivalent unknown ones: composed characters if these are known,
 * else decomposed ones. What is not known in any form is composed.
 */
export function respell(text: string, isKnown: (codePoint: number) => boolean): string {
  const areKnown = (characters: string): boolean =>
    Array.from(characters).every((character) => isKnown(character.codePointAt(0) ?? 0));
  let result = "";
  for (const [composed] of text.normalize("NFC").matchAll(/.\p{M}*/gsu)) {
    const points = Array.from(composed.normalize("NFD"));
    let spelling = composed;
    for (let cut = points.length; cut > 0 && !areKnown(spelling); cut--)
      spelling = points.slice(0, cut).join("").normalize("NFC") + points.slice(cut).join("");
    result += areKnown(spelling) ? spelling : composed;
  }
  return !areKnown(result) && areKnown(text) ? text : result;
}
