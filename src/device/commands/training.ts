import { atMost, stepsOf } from "./arguments";
import type { Command } from "./command";
import type { Device } from "../device";
import { InputError } from "../../gpt/base/errors";
import { statusOf } from "./status";

/** Commands that start, pause and resume the training, and cancel commands. */
export const TRAINING_COMMANDS: readonly Command[] = Object.freeze([
  Object.freeze<Command>({
    name: "status",
    help: "shows the state; this, pause and stop never wait",
    order: "at once",
    run: ({ device }) => device.say(statusOf(device)),
  }),
  Object.freeze<Command>({
    name: "train",
    takes: "[steps]",
    help: "resumes, or starts a new schedule of steps",
    order: "changes",
    beginsTraining: true,
    run({ device }, tail) {
      const steps = stepsOf(atMost(1, tail)[0]);
      if (steps === undefined && device.isUnderWay) {
        resume(device);
        return undefined;
      }
      const { stepsDone, config } = device.trainer;
      if (device.isTraining) throw new InputError(`It is training, step ${stepsDone} of ${config.steps}: pause first.`);
      return device.beginSchedule(device.schedule(steps));
    },
  }),
  Object.freeze<Command>({
    name: "pause",
    help: "pauses the training at once",
    order: "at once",
    run({ device }) {
      checkUnderWay(device);
      device.pause();
      device.say(`Paused: ${statusOf(device)}`);
    },
  }),
  Object.freeze<Command>({
    name: "resume",
    help: "resumes the training",
    order: "changes",
    run: ({ device }) => resume(device),
  }),
  Object.freeze<Command>({
    name: "step",
    takes: "[n]",
    help: "trains n steps, then pauses",
    order: "changes",
    beginsTraining: true,
    run: ({ device }, tail) =>
      doSteps(device, stepsOf(atMost(1, tail)[0]) ?? 1).then(() => device.say(statusOf(device))),
  }),
  Object.freeze<Command>({
    name: "stop",
    help: "cancels the running command; the next follows",
    order: "at once",
    run({ device }) {
      if (device.cancel()) return;
      const training = device.isTraining ? "but the training: use pause for it" : "that stop could cancel";
      device.say(`Nothing is running ${training}.`);
    },
  }),
]);

/** Trains `count` steps, then pauses; resolves then. @throws InputError when no steps are left */
export function doSteps(device: Device, count: number): Promise<void> {
  checkUnderWay(device);
  return device.step(count);
}

function resume(device: Device): void {
  checkUnderWay(device);
  device.resume();
  device.say(`Resumed: ${statusOf(device)}`);
}

function checkUnderWay(device: Device): void {
  if (!device.isUnderWay) throw new InputError("The training is over: train N adds N steps.");
}
