import { atMost, numberOf, numbers } from "./arguments";
import { checkNotFetching, type Command, checkpointsOf, save } from "./command";
import type { Device } from "../device";
import { InputError } from "../../gpt/base/errors";
import { wordsOf } from "../../gpt/base/text";
import type { Transfer } from "../transfer";

/** The transfer commands of PROTOCOL.md. Commands that receive data return the offset of the next byte. */
export const TRANSFER_COMMANDS: readonly Command[] = Object.freeze([
  Object.freeze<Command>({
    name: "fetch",
    takes: "[NAME]",
    order: "reads",
    async run({ device }, tail) {
      const [name] = atMost(1, tail);
      const transfer = transferOf(device);
      const checkpoints = checkpointsOf(device);
      transfer.endFetch();
      if (name === undefined) await save(device);
      transfer.beginFetch(name === undefined ? undefined : await checkpoints.files.resolve(name));
    },
  }),
  Object.freeze<Command>({
    name: "chunk",
    takes: "AT COUNT",
    order: "at once",
    run({ device }, tail) {
      const [at, count] = numbers(2, tail);
      return transferOf(device).chunk(at, count);
    },
  }),
  Object.freeze<Command>({
    name: "fetched",
    order: "at once",
    run: ({ device }) => transferOf(device).endFetch(),
  }),
  Object.freeze<Command>({
    name: "receive",
    takes: "SIZE",
    order: "at once",
    run: ({ device }, tail) => transferOf(device).receive(numbers(1, tail)[0]),
  }),
  Object.freeze<Command>({
    name: "data",
    takes: "AT BASE64",
    order: "at once",
    run({ device }, tail) {
      const words = wordsOf(tail);
      if (words.length !== 2) throw new InputError("data takes an offset and base64.");
      return transferOf(device).data(numberOf("The offset", words[0]), words[1]);
    },
  }),
  Object.freeze<Command>({
    name: "received",
    order: "changes",
    whenItWaits: ({ transfer }) => transfer?.keepIncoming(),
    async run({ device }) {
      const transfer = transferOf(device);
      checkNotFetching(device);
      await transfer.received();
      await adopt(device);
    },
  }),
  Object.freeze<Command>({ name: "cancel", order: "at once", run: ({ device }) => transferOf(device).cancel() }),
]);

/**
 * Loads received.safetensors from storage, and saves a checkpoint.
 * @param shown what messages call it
 * @throws InputError (as a rejection) when it does not fit this model, or the save fails
 */
export async function adopt(device: Device, shown?: string): Promise<void> {
  const checkpoints = checkpointsOf(device);
  await device.whileLoading(async () => {
    const seed = await checkpoints.adopt(shown);
    if (seed === undefined)
      device.say("It is from another training: only its weights are loaded. They may have seen what eval measures.");
    else device.seed = seed;
  });
  try {
    await save(device);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(`It is loaded, but not stored. ${error.message}`);
  }
}

function transferOf({ transfer }: Device): Transfer {
  if (!transfer) throw new InputError("There is no storage.");
  return transfer;
}
