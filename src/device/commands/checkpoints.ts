import { atMost } from "./arguments";
import { listCheckpoints } from "./checkpoint-list";
import { checkNotFetching, type Command, checkpointsOf, save, sayAll } from "./command";
import type { Device } from "../device";
import { InputError } from "../../gpt/base/errors";
import { statusOf } from "./status";

const NONE = "There is no checkpoint yet: save makes one.";

/** Commands for checkpoints and weights. */
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
    help: "loads the checkpoint, or another one",
    order: "changes",
    async run({ device }, tail) {
      const [name] = atMost(1, tail);
      const checkpoints = checkpointsOf(device);
      const hint = name === undefined ? "" : " The next save replaces the stored checkpoint with it.";
      await device.whileLoading(async () => {
        const seed = await checkpoints.restore(name === undefined ? undefined : await checkpoints.files.resolve(name));
        if (seed === undefined) throw new InputError(NONE);
        device.seed = seed;
      });
      device.say(`Loaded: ${statusOf(device)}${hint}`);
    },
  }),
  Object.freeze<Command>({
    name: "checkpoints",
    help: "lists the stored checkpoints",
    order: "reads",
    run: ({ device }) => emitCheckpoints(device),
  }),
  Object.freeze<Command>({
    name: "forget-checkpoint",
    takes: "NAME",
    help: "deletes one of them",
    order: "changes",
    async run({ device }, tail) {
      const [text] = atMost(1, tail);
      if (text === undefined) throw new InputError("forget-checkpoint takes a NAME: checkpoints lists them.");
      const checkpoints = checkpointsOf(device);
      checkNotFetching(device);
      const name = await checkpoints.files.resolve(text);
      await device.runBetweenSteps(() => device.saving(() => checkpoints.forget(name, device.seed)));
      device.say(`${name} is forgotten. ${statusOf(device)}`);
    },
  }),
  Object.freeze<Command>({
    name: "reset",
    help: "starts over with new weights",
    order: "changes",
    async run({ device }) {
      await device.runBetweenSteps(() => {
        const { steps, learningRate } = device.schedule();
        device.trainer.beginSchedule(steps, learningRate);
        device.drawWeights();
        device.beginSession(false);
      });
      device.say("New weights: train starts; load undoes this until the next save.");
    },
  }),
]);

async function emitCheckpoints(device: Device): Promise<void> {
  const { files: store } = checkpointsOf(device);
  const wholes: boolean[] = [];
  const lines = await device.tasks.run((run) =>
    device.runBetweenSteps(() =>
      listCheckpoints(store, device.trainer, async (task) => {
        wholes.push(await run(task));
      }),
    ),
  );
  if (wholes.includes(false)) throw new InputError("Stopped.");
  await sayAll(device, lines.length > 0 ? lines : [NONE]);
}
