import fc from "fast-check";
import { XsbugFilter } from "../src/client/xsbug";

/* What a debug build says to the debugger is taken out of its output; nothing else is. */

/** What is shown of text that arrives in pieces, and how often a message was reported. */
function filtered(pieces: readonly string[]): { shown: string; found: number } {
  let found = 0;
  const filter = new XsbugFilter(() => found++);
  const shown = pieces.map((piece) => filter.take(piece)).join("");
  return { shown: shown + filter.finish(), found };
}

test.each([
  ["a<?xs.123?>\r\nb", "ab", 1],
  ["a<?xs.123?>\nb", "ab", 1],
  ["a<?xs.123?>b\nc", "ab\nc", 1],
  ["a<xsbug><log>?></log></xsbug>\r\nb", "ab", 1],
  ["<?xs.1?><xsbug>x</xsbug>a<?xs.2?>", "a", 1],
  ["a<xsbug><?xs.1?>b", "a", 1],
  ["a<?xs<xsbug>?>b", "ab", 1],
  ["1 < 2, <xs>, <?xml?>, </xsbug>, ?>", "1 < 2, <xs>, <?xml?>, </xsbug>, ?>", 0],
  ["a<xsbu", "a<xsbu", 0],
  ["", "", 0],
])("%j is shown as %j", (text, shown, found) => {
  expect(filtered([text])).toEqual({ shown, found });
  expect(filtered(Array.from(text))).toEqual({ shown, found });
});

test("text comes as soon as it cannot be the beginning of a message", () => {
  const filter = new XsbugFilter(() => undefined);
  expect(["a<", "?", "b", "<xsbug", ">c", "</xsbu", "g>", "d"].map((piece) => filter.take(piece))).toEqual([
    "a",
    "",
    "<?b",
    "",
    "",
    "",
    "",
    "d",
  ]);
  expect(filter.finish()).toBe("");
});

test("the pieces in which it arrives do not matter", () => {
  const parts = fc.constantFrom(
    "\r",
    "\n",
    "\r\n",
    "<?xs",
    "?>",
    "<xsbug>",
    "</xsbug>",
    "<",
    "<?",
    "a",
    "bc",
    ">",
    "</xs",
  );
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 12 }), fc.array(fc.nat(20), { maxLength: 5 }), (text, cuts) => {
      const whole = text.join("");
      const at = [0, ...cuts.filter((cut) => cut < whole.length).sort((a, b) => a - b), whole.length];
      const pieces = at.slice(1).map((end, i) => whole.slice(at[i], end));
      expect(filtered(pieces)).toEqual(filtered([whole]));
    }),
  );
});
