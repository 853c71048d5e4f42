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

/** All of them, in the order of help. A name of two words stands before its first word. */
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

/** The command of a line and what stands behind its name; no command where there is none of that name. */
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
 * Carries out a line.
 * @throws InputError where there is no such command, or as Command.run does
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

/** What help lists: a command a line, and those that need no words in one. */
function helpLines(): string[] {
  const lines: string[] = [];
  const plain: string[] = [];
  for (const { name, takes, help } of COMMANDS) {
    if (help === "") plain.push(name);
    else if (help !== undefined) lines.push(`${(takes === undefined ? name : `${name} ${takes}`).padEnd(36)}${help}`);
  }
  return [...lines, plain.join(", ")];
}
