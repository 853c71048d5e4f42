import { changeWords, type Command, emitAll } from "./command";
import { printable } from "../../gpt/base/errors";
import { checkWord } from "../../gpt/training/document-length";
import type { Device } from "../device";

/** Commands for user words. */
export const WORD_COMMANDS: readonly Command[] = Object.freeze([
  Object.freeze<Command>({
    name: "add",
    takes: "TEXT",
    help: "adds a word of your own to the dataset",
    order: "changes",
    run({ device }, tail) {
      const typed = tail.trimEnd();
      addWord(device, typed);
      const count = device.trainer.dataset.own?.count ?? 0;
      const words = count === 1 ? "your own words, the only one" : `${count} words of your own`;
      device.say(`"${printable(typed)}" is one of ${words}.`);
    },
  }),
  Object.freeze<Command>({
    name: "forget",
    takes: "TEXT",
    help: "removes one of them",
    order: "changes",
    run({ device }, tail) {
      const word = tail.trimEnd();
      forgetWord(device, word);
      device.say(`"${printable(word)}" is forgotten.`);
    },
  }),
  Object.freeze<Command>({
    name: "words",
    help: "lists your words",
    order: "asks",
    run({ device }) {
      const words = device.trainer.dataset.own?.text.split("\n").slice(0, -1) ?? [];
      return emitAll(device, words.length, (i) => device.log.emit({ type: "word", text: words[i], number: i + 1 }));
    },
  }),
]);

/**
 * Adds a word of the user to the dataset, and schedules a save.
 * @throws InputError if the model cannot take it, it is there already, or there is no room
 */
export function addWord(device: Device, typed: string): void {
  const { model } = device.trainer;
  const word = model.vocabulary.respell(typed);
  checkWord(model, word);
  changeWords(device, (own) => own.add(word));
}

/** Removes a word of the user, and schedules a save. @throws InputError if it is not there */
export function forgetWord(device: Device, typed: string): void {
  const { vocabulary } = device.trainer.model;
  changeWords(device, (own) => own.forget(own.has(typed) ? typed : vocabulary.respell(typed)));
}
