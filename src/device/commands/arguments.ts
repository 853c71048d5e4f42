import { checkSetting } from "../../gpt/model/config";
import { InputError, printable } from "../../gpt/base/errors";
import { firstWord, parseDecimal, wordsOf } from "../../gpt/base/text";

/*
 * Parsing of the arguments of commands.
 */

/** The words of a text. @throws InputError when there are more than `most` */
export function atMost(most: number, text: string): readonly (string | undefined)[] {
  const words = wordsOf(text);
  if (words.length > most) throw tooMany(most);
  return words;
}

/** @throws InputError unless the text is blank */
export function nothing(command: string, text: string): void {
  if (text.trim() !== "") throw new InputError(`${command} takes no arguments.`);
}

export function tooMany(most: number): InputError {
  return new InputError(`Too many arguments: this command takes ${most === 1 ? "one word" : `${most} words`} at most.`);
}

/** The numbers in a text. @throws InputError unless there are exactly `count` */
export function numbers(count: number, text: string): readonly number[] {
  const words = wordsOf(text);
  if (words.length !== count)
    throw new InputError(`That command takes ${count === 1 ? "a number" : `${count} numbers`}.`);
  return words.map((word) => numberOf("A number", word));
}

/** A number of steps; undefined when not given. @throws InputError when invalid */
export function stepsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const steps = numberOf("The number of steps", text);
  checkSetting("steps", steps, "The number of steps");
  return steps;
}

/** A temperature; undefined when not given. @throws InputError when invalid */
export function temperatureOf(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  const temperature = numberOf("The temperature", text);
  checkSetting("temperature", temperature);
  return temperature;
}

/**
 * Parses a number.
 * @param what subject of the message
 * @throws InputError unless the text is a decimal number
 */
export function numberOf(what: string, text: string): number {
  const number = parseDecimal(text);
  if (number === undefined) throw new InputError(`${what} must be a number, not "${printable(text)}".`);
  return number;
}

/** Splits a text into its first word and the rest, without the spaces between. */
export function cutWord(text: string): readonly [string, string] {
  const line = text.trimStart();
  const first = firstWord(line);
  return [first, line.slice(first.length).trimStart()];
}
