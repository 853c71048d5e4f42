import { InputError } from "../../src/gpt/base/errors";

/** A failure that may not occur the next time. */
export class PassingError extends InputError {}
