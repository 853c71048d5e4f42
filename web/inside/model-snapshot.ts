import { effect, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { InputError } from "../../src/gpt/base/errors";
import type { Inspection } from "../worker/inspection";
import type { Run } from "../workbench/run";
import { Refresher } from "./refresher";

/** Minimum interval between snapshots during training, in milliseconds. */
const PERIOD = 100;

/** The state of a model at one moment. */
export interface ModelSnapshot {
  /** The inspection of the last valid word. */
  readonly inspection: Inspection;
  readonly weights: Float32Array;
}

interface SnapshotState {
  readonly run: Run;
  readonly snapshot: ModelSnapshot | undefined;
  /** Why the word cannot be inspected, or "". */
  readonly refusal: string;
}

/** Takes snapshots of the model during training while the component is mounted. */
export function useModelSnapshot(run: Run, word: string): Omit<SnapshotState, "run"> {
  const sight = useSignal<SnapshotState>({ run, snapshot: undefined, refusal: "" });
  const wanted = useRef(word);
  const refresher = useRef<Refresher>(null);

  useEffect(() => {
    const look = async (): Promise<void> => {
      let refusal = "";
      const refuse = (error: unknown): undefined => {
        if (!(error instanceof InputError)) throw error;
        refusal = error.message;
      };
      const [inspection, weights] = await Promise.all([
        run.ask("inspect", wanted.current).catch(refuse),
        run.ask("weights").catch(refuse),
      ]);
      if (refresher.current !== present) return;
      const before = sight.value.run === run ? sight.value.snapshot : undefined;
      const shown = inspection ?? before?.inspection;
      sight.value = { run, snapshot: shown && weights ? { inspection: shown, weights } : before, refusal };
    };
    const present = (refresher.current = new Refresher(look, PERIOD));
    const stop = effect(() => {
      if (run.changes.value >= 0) present.ask();
    });
    return () => {
      stop();
      present.end();
      refresher.current = null;
    };
  }, [run, sight]);

  useEffect(() => {
    wanted.current = word;
    refresher.current?.ask();
  }, [word]);

  return sight.value.run === run ? sight.value : { snapshot: undefined, refusal: "" };
}
