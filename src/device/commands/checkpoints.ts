import { atMost } from "./arguments";
import { listCheckpoints } from "./checkpoint-list";
import { checkNotFetching, type Command, keeperOf, save, sayAll } from "./command";
import type { Device } from "../device";
import { InputError } from "../../gpt/base/errors";
import { statusOf } from "./status";

const NONE = "There is no checkpoint yet: save makes one.";

/** Commands for what a device keeps. */
export const CHECKPOINT_COMMANDS: readonly Command[] = Object.freeze([
  Object.freeze<Command>({
    name: "save",
    help: "stores a checkpoint",
    order: "reads",
    run: ({ device }) => save(device).then(() => device.say(`Saved: ${statusOf(device)}`)),
  }),
  Object.freeze<Command>({
    name: "load",
    takes: "[NAME]",
    help: "goes back to it, or to another one",
    order: "changes",
    async run({ device }, tail) {
      const [name] = atMost(1, tail);
      const keeper = keeperOf(device);
      const hint = name === undefined ? "" : " The next save keeps it, in the place of the stored one.";
      await device.whileLoading(async () => {
        const seed = await keeper.restore(name === undefined ? undefined : await keeper.store.resolve(name));
        if (seed === undefined) throw new InputError(NONE);
        device.seed = seed;
      });
      device.say(`Loaded: ${statusOf(device)}${hint}`);
    },
  }),
  Object.freeze<Command>({
    name: "checkpoints",
    help: "lists those that are kept",
    order: "reads",
    run: ({ device }) => tellCheckpoints(device),
  }),
  Object.freeze<Command>({
    name: "forget-checkpoint",
    takes: "NAME",
    help: "removes one of them",
    order: "changes",
    async run({ device }, tail) {
      const [text] = atMost(1, tail);
      if (text === undefined) throw new InputError("forget-checkpoint takes a NAME: checkpoints lists them.");
      const keeper = keeperOf(device);
      checkNotFetching(device);
      const name = await keeper.store.resolve(text);
      await device.whileResting(() => device.saving(() => keeper.forget(name, device.seed)));
      device.say(`${name} is forgotten. ${statusOf(device)}`);
    },
  }),
  Object.freeze<Command>({
    name: "reset",
    help: "draws fresh weights",
    order: "changes",
    async run({ device }) {
      await device.whileResting(() => {
        const { steps, learningRate } = device.schedule();
        device.trainer.beginSchedule(steps, learningRate);
        device.drawWeights();
        device.goOn(false);
      });
      device.say("Fresh weights: train begins. load goes back, until the next save.");
    },
  }),
]);

async function tellCheckpoints(device: Device): Promise<void> {
  const { store } = keeperOf(device);
  const wholes: boolean[] = [];
  const lines = await device.tasks.run((run) =>
    device.whileResting(() =>
      listCheckpoints(store, device.trainer, async (task) => {
        wholes.push(await run(task));
      }),
    ),
  );
  if (wholes.includes(false)) throw new InputError("Stopped.");
  await sayAll(device, lines.length > 0 ? lines : [NONE]);
}
