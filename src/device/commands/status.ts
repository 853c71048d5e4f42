import { type Device, ownWords } from "../device";

/** The state of a device as a line for people. */
export function statusOf({ trainer, state, checkpoints }: Device): string {
  const { stepsDone, config, totalSteps, lastLoss, dataset } = trainer;
  const loss = lastLoss === undefined ? "" : `, loss ${lastLoss.toFixed(4)}`;
  const all = totalSteps === stepsDone ? "" : `, ${totalSteps} in all`;
  const own = dataset.own?.count ? `, ${ownWords(dataset.own.count)}` : "";
  const unsaved = checkpoints?.trouble === undefined ? "" : ` Not saved: ${checkpoints.trouble}`;
  return `Step ${stepsDone} of ${config.steps}${all}${loss}${own}; ${state}.${unsaved}`;
}
