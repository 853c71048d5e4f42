import { print } from "esp32gpt/platform";

/* A screen for a computer: two lines of text. moddable/screen.js draws them. */

/** Shows a word, and smaller below it a note. */
export function show(word, note) {
  print(`[ ${word} ] ${note}`);
}
