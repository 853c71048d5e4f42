import { atMost, stepsOf } from "./arguments";
import type { Command } from "./command";
import type { Device } from "../device";
import { InputError } from "../../gpt/base/errors";
import { statusOf } from "./status";

/** Commands that begin, rest and end a training. */
export const TRAINING_COMMANDS: readonly Command[] = Object.freeze([
  Object.freeze<Command>({
    name: "status",
    help: "what it does; this, pause and stop never wait",
    order: "at once",
    run: ({ device }) => device.say(statusOf(device)),
  }),
  Object.freeze<Command>({
    name: "train",
    takes: "[steps]",
    help: "goes on, or begins a schedule of so many steps",
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
    help: "the training rests, at once",
    order: "at once",
    run({ device }) {
      checkUnderWay(device);
      device.pause();
      device.say(`Paused: ${statusOf(device)}`);
    },
  }),
  Object.freeze<Command>({
    name: "resume",
    help: "it goes on",
    order: "changes",
    run: ({ device }) => resume(device),
  }),
  Object.freeze<Command>({
    name: "step",
    takes: "[n]",
    help: "n steps of it, and pauses",
    order: "changes",
    beginsTraining: true,
    run: ({ device }, tail) =>
      doSteps(device, stepsOf(atMost(1, tail)[0]) ?? 1).then(() => device.say(statusOf(device))),
  }),
  Object.freeze<Command>({
    name: "stop",
    help: "ends what runs now, at once; what waits comes next",
    order: "at once",
    run({ device }) {
      if (device.cancel()) return;
      const training = device.isTraining ? "but the training: pause lets it rest" : "that stop could end";
      device.say(`Nothing is under way ${training}.`);
    },
  }),
]);

/** Does so many steps, and pauses. @throws InputError where none are left */
export function doSteps(device: Device, count: number): Promise<void> {
  checkUnderWay(device);
  return device.step(count);
}

function resume(device: Device): void {
  checkUnderWay(device);
  device.resume();
  device.say(`Going on: ${statusOf(device)}`);
}

function checkUnderWay(device: Device): void {
  if (!device.isUnderWay) throw new InputError("The training is over: train N goes on for N steps.");
}
