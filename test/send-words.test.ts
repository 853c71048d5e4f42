import { InputError } from "../src/gpt/base/errors";
import { type WordReceiver, sendWords } from "../web/workbench/send-words";

class Gone extends InputError {}

/** A board that takes words, but for those of which `refuse` knows why not. */
function pupil(refuse: (word: string) => Error | undefined): WordReceiver & { readonly tried: string[] } {
  const tried: string[] = [];
  return {
    tried,
    add(word) {
      tried.push(word);
      const error = refuse(word);
      return error ? Promise.reject(error) : Promise.resolve();
    },
    progress: () => undefined,
    isOver: (error) => error instanceof Gone,
  };
}

test("each word is taught once, whatever ends its line", async () => {
  const board = pupil(() => undefined);
  expect(await sendWords("ada\r\n\r\n  grace \rada\nde la cruz", board)).toBe("3 of 3 words were taken.");
  expect(board.tried).toEqual(["ada", "grace", "de la cruz"]);
  await expect(sendWords(" \n\n", board)).rejects.toThrow("There are no words to teach");
});

test("refusals are told with the first reasons, and ten in a row are enough", async () => {
  const odd = pupil((word) => (/[13579]$/.test(word) ? new InputError("It is odd.") : undefined));
  const text = Array.from({ length: 30 }, (_, i) => `w${i}`).join("\n");
  await expect(sendWords(text, odd)).rejects.toThrow(
    new InputError("15 of 30 words were taken. w1: It is odd. w3: It is odd. w5: It is odd. And 12 more."),
  );
  const full = pupil((word) => (word === "w0" ? undefined : new InputError("There is no room.")));
  await expect(sendWords(text, full)).rejects.toThrow(/^1 of 30 .* And 26 more\.$/);
  expect(full.tried).toHaveLength(11);
});

test("a board that goes away ends it, and what it has taken is told", async () => {
  const board = pupil((word) => (word === "c" ? new Gone("The board is gone.") : undefined));
  await expect(sendWords("a\nb\nc\nd", board)).rejects.toThrow("2 of 4 words were taken. The board is gone.");
  expect(board.tried).toEqual(["a", "b", "c"]);
  await expect(
    sendWords(
      "a",
      pupil(() => new TypeError("a mistake")),
    ),
  ).rejects.toThrow(TypeError);
});
