import type { Workbench } from "../workbench/workbench";

/** A way out where a training cannot go on. */
export interface Exit {
  readonly label: string;
  readonly take: () => Promise<unknown>;
}

/** The way out of what keeps the current training, or the choice, from going on; undefined if nothing does. */
export function exitOf(bench: Workbench): Exit | undefined {
  if (bench.isPassing.value) return { label: "Try again", take: () => bench.tryAgain() };
  if (bench.next.value) return undefined;
  switch (bench.run.value?.obstacle.value) {
    case "broken":
      return { label: "Begin again", take: () => bench.goOnFromSaved() };
    case "elsewhere":
      return { label: "Go on here", take: () => bench.goOnFromSaved() };
    case "diverged": {
      const hasOwnRate = (bench.choice.value.values.learning_rate ?? "") !== "";
      const label = hasOwnRate ? "Train again with the usual learning rate" : "Train again";
      return { label, take: () => bench.startAfresh({ learning_rate: "" }) };
    }
    default:
      return undefined;
  }
}
