import { checkSetting } from "../../gpt/model/config";
import { InputError, printable } from "../../gpt/base/errors";
import { firstWord, parseDecimal, wordsOf } from "../../gpt/base/text";

/*
 * What stands behind the name of a command.
 */

/** @throws InputError where there are more of them */
export function atMost(most: number, text: string): readonly (string | undefined)[] {
  const words = wordsOf(text);
  if (words.length > most) throw tooMany(most);
  return words;
}

/** @throws InputError where there is anything */
export function nothing(command: string, text: string): void {
  if (text.trim() !== "") throw new InputError(`${command} takes nothing behind it.`);
}

export function tooMany(most: number): InputError {
  return new InputError(
    `That is too much for this command: it takes ${most === 1 ? "one word" : `${most} words`} at most.`,
  );
}

/** @throws InputError unless there are so many numbers */
export function numbers(count: number, text: string): readonly number[] {
  const words = wordsOf(text);
  if (words.length !== count)
    throw new InputError(`That command takes ${count === 1 ? "a number" : `${count} numbers`}.`);
  return words.map((word) => numberOf("A number", word));
}

/** A number of steps; undefined where there is no text. @throws InputError for anything else */
export function stepsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const steps = numberOf("The number of steps", text);
  checkSetting("steps", steps, "The number of steps");
  return steps;
}

/** A temperature; undefined where there is no text. @throws InputError for anything else */
export function temperatureOf(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  const temperature = numberOf("The temperature", text);
  checkSetting("temperature", temperature);
  return temperature;
}

/** @throws InputError for what is no number */
export function numberOf(what: string, text: string): number {
  const number = parseDecimal(text);
  if (number === undefined) throw new InputError(`${what} must be a number, not "${printable(text)}".`);
  return number;
}

/** The first word of a text, and what follows it and its spaces. */
export function cutWord(text: string): readonly [string, string] {
  const line = text.trimStart();
  const first = firstWord(line);
  return [first, line.slice(first.length).trimStart()];
}
