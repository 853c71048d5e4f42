import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";
import type { StepReport } from "./job";
import { fileError } from "./node-storage";

/** A file of one JSON object a step. */
export interface Records {
  add: (report: StepReport) => void;
  close: () => void;
}

/** @throws InputError when the file cannot be written */
export function openRecords(path: string): Records {
  const numberOrNull = (value: number): number | null => (Number.isNaN(value) ? null : value);
  let fd: number;
  try {
    fd = openSync(path, "a");
  } catch (error) {
    throw fileError("write", path, error);
  }
  let pending = "";
  let isFirst = true;
  const flush = (): void => {
    try {
      // What was there before goes when there is something new, not when the run fails to start.
      if (isFirst && pending !== "") {
        ftruncateSync(fd);
        isFirst = false;
      }
      writeSync(fd, pending);
    } catch (error) {
      throw fileError("write", path, error);
    }
    pending = "";
  };
  return {
    add({ step, loss, learningRate, validationLoss, name }) {
      pending += `${JSON.stringify({
        step,
        loss: numberOrNull(loss),
        learningRate,
        ...(!Number.isNaN(validationLoss) && { validationLoss }),
        name,
      })}\n`;
      if (pending.length > 1 << 14) flush();
    },
    close() {
      flush();
      closeSync(fd);
    },
  };
}
