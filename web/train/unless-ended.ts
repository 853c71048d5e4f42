import { InputError } from "../../src/gpt/base/errors";

/**
 * For a request of the page itself, whose refusal nobody has to know: the training has ended, or its numbers are not
 * finite, which is said elsewhere.
 * @throws errors that are not InputErrors
 */
export function unlessEnded(error: unknown): undefined {
  if (!(error instanceof InputError)) throw error;
}
