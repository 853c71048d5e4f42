import { ABOUT_COMMANDS } from "./about";
import { cutWord, nothing } from "./arguments";
import { CHECKPOINT_COMMANDS } from "./checkpoints";
import { type Command, type CommandContext, sayAll } from "./command";
import { InputError, printable } from "../../gpt/base/errors";
import { NAME_COMMANDS } from "./names";
import { SETTING_COMMANDS } from "./settings";
import { TRAINING_COMMANDS } from "./training";
import { TRANSFER_COMMANDS } from "./transfer";
import { WORD_COMMANDS } from "./words";

/** All commands in the order of help. A two-word name must precede its first word: the first match wins. */
export const COMMANDS: readonly Command[] = Object.freeze([
  ...TRAINING_COMMANDS,
  ...NAME_COMMANDS,
  ...WORD_COMMANDS,
  ...CHECKPOINT_COMMANDS,
  ...SETTING_COMMANDS,
  ...ABOUT_COMMANDS,
  Object.freeze<Command>({
    name: "help",
    help: "",
    order: "asks",
    run: ({ device }) => sayAll(device, helpLines()),
  }),
  ...TRANSFER_COMMANDS,
]);

/** Splits a line into its command and the arguments; the command is undefined when the name is unknown. */
export function commandOf(line: string): { readonly command: Command | undefined; readonly tail: string } {
  const [first, tail] = cutWord(line);
  const [second, rest] = cutWord(tail);
  const both = `${first} ${second}`;
  for (const command of COMMANDS) {
    if (command.name === both) return { command, tail: rest };
    if (command.name === first) return { command, tail };
  }
  return { command: undefined, tail };
}

/**
 * Executes a line; returns what Command.run returns.
 * @throws InputError when there is no such command, or as Command.run does
 */
export function execute(context: CommandContext, line: string): unknown {
  const { command, tail } = commandOf(line);
  if (command) {
    if (command.takes === undefined) nothing(command.name, tail);
    return command.run(context, tail);
  }
  const [name] = cutWord(line);
  throw new InputError(
    name === "" ? "help lists the commands." : `There is no command ${printable(name)}: help lists them.`,
  );
}

/** The lines of help: one per command, then the names of those without a description. */
function helpLines(): string[] {
  const lines: string[] = [];
  const plain: string[] = [];
  for (const { name, takes, help } of COMMANDS) {
    if (help === "") plain.push(name);
    else if (help !== undefined) lines.push(`${(takes === undefined ? name : `${name} ${takes}`).padEnd(36)}${help}`);
  }
  return [...lines, plain.join(", ")];
}
