/**
 * Something is wrong with what the user gave: an option, a file, a name. The message is one sentence
 * for the user: what, where, and what to do. Every other exception is a mistake in the program.
 */
export class InputError extends Error {
  override name = "InputError";
}
