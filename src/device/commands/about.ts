import { type Command, sayAll } from "./command";
import { InputError } from "../../gpt/base/errors";
import { planMemory } from "../../gpt/plan";
import type { Device } from "../device";

/** Commands about the device itself. */
export const ABOUT_COMMANDS: readonly Command[] = Object.freeze([
  Object.freeze<Command>({
    name: "plan",
    help: "",
    order: "asks",
    run: ({ device }) => sayAll(device, planOf(device)),
  }),
  Object.freeze<Command>({
    name: "version",
    help: "",
    order: "asks",
    run({ device }) {
      const { settings, platform } = device.context;
      device.say(`Version ${settings.version} "${settings.codename}" on ${platform.place}.`);
    },
  }),
  Object.freeze<Command>({
    name: "reboot",
    help: "",
    order: "changes",
    isFarewell: (tail) => tail.trim() === "",
    run({ device }) {
      const { reboot, platform } = device.context;
      if (!reboot) throw new InputError(`A program on ${platform.place} cannot be rebooted.`);
      // After a pending save.
      return device.runBetweenSteps(reboot);
    },
  }),
]);

function planOf({ trainer, context }: Device): readonly string[] {
  const { model, dataset } = trainer;
  const plan = planMemory(model.config, { indexBytes: dataset.indexBytes, ops: model.ops, training: trainer.config });
  const memory = context.platform.memoryBudget();
  const row = (name: string, bytes: number): string => `${name.padEnd(36)}${String(bytes).padStart(8)}`;
  return [
    ...plan.buffers.map(({ name, bytes }) => row(name, bytes)),
    row("buffers in all", plan.bufferBytes),
    ...plan.others.map(({ name, bytes }) => row(name, bytes)),
    `XS needs ${plan.total} bytes: chunks ${plan.chunks}, slots ${plan.slots}, stack ${plan.stack}.`,
    ...(memory ? [`Available: ${memory.total}; largest free block: ${memory.largestPiece}.`] : []),
  ];
}
