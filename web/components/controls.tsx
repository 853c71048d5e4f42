import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Speed } from "../workbench/address";
import type { Run } from "../workbench/run";
import type { Workbench } from "../workbench/workbench";
import { exitOf } from "./exit";

/** The speeds to choose from. */
const SPEEDS: readonly Speed[] = [1, 2, 5, 10, 20, 50, undefined, 100, 200, 500, 1000, Infinity];

/** Buttons to start, pause and stop, the speed, what waits, and messages about failures. */
export function Controls({ bench }: { readonly bench: Workbench }) {
  const run = bench.run.value;
  const next = bench.next.value;
  const isRunning = run?.isRunning.value ?? false;
  const stepsDone = run?.stepsDone.value ?? 0;
  const isOver = run?.isOver.value ?? false;
  const hasProblem = bench.problem.value !== "";
  const canGoOn = run?.obstacle.value === "";
  const isUnderWay = stepsDone > 0 && !isOver && canGoOn;
  const exit = exitOf(bench);
  const speed = bench.speed.value;
  /** The training of which one is asked whether it may be thrown away. */
  const endangered = useSignal<Run | undefined>(undefined);
  const anotherSeed = useRef<HTMLButtonElement>(null);
  const keep = (): void => {
    endangered.value = undefined;
    anotherSeed.current?.focus();
  };
  const anew = (): void => {
    endangered.value = undefined;
    bench.attempt(bench.startFromAnotherSeed());
  };
  return (
    <>
      <div class="card controls">
        <div class="row">
          {exit && (
            <button type="button" class="primary" onClick={() => bench.attempt(exit.take())}>
              {exit.label}
            </button>
          )}
          {run && isRunning ? (
            // The second click of a double click on Train is not for Pause, which is in its place by then.
            <button type="button" class="primary" onClick={({ detail }) => detail < 2 && bench.attempt(run.pause())}>
              Pause
            </button>
          ) : (
            <button
              type="button"
              class="primary"
              hidden={exit && !isUnderWay}
              disabled={!run || (hasProblem && !isUnderWay)}
              onClick={() => bench.attempt(bench.start())}
            >
              {next ? "Train anew" : isUnderWay ? "Resume" : isOver ? "Train again" : "Train"}
            </button>
          )}
          <button type="button" disabled={isRunning || !bench.ofNextStep} onClick={() => bench.attempt(bench.step())}>
            One step
          </button>
          <button type="button" disabled={!isUnderWay} onClick={() => bench.attempt(run?.stop())}>
            Stop
          </button>
          <button
            type="button"
            ref={anotherSeed}
            disabled={!run || hasProblem || stepsDone === 0}
            onClick={() => {
              if (isUnderWay) endangered.value = run;
              else anew();
            }}
          >
            Another seed
          </button>
        </div>
        <label class="speed">
          <span>Speed</span>
          <input
            type="range"
            name="speed"
            min={0}
            max={SPEEDS.length - 1}
            step={1}
            value={SPEEDS.indexOf(speed)}
            aria-valuetext={nameOf(speed)}
            onInput={({ currentTarget }) => bench.setSpeed(SPEEDS[Number(currentTarget.value)])}
          />
          <output>{nameOf(speed)}</output>
        </label>
      </div>
      {run && isUnderWay && endangered.value === run && <Question run={run} yes={anew} no={keep} />}
      <p class="note" role="status">
        {next && !isRunning && "What you have changed waits for “Train anew”."}
        {next && isRunning && (
          <>
            What you have changed waits while this run goes on.{" "}
            <button type="button" onClick={() => bench.attempt(bench.start())}>
              Train anew
            </button>
          </>
        )}
      </p>
      <p class="problem" role="alert">
        {bench.trouble.value || bench.problem.value || run?.problem.value}
      </p>
    </>
  );
}

interface QuestionProps {
  readonly run: Run;
  readonly yes: () => void;
  readonly no: () => void;
}

/** Asks before an unfinished training is thrown away; it goes on meanwhile. */
function Question({ run, yes, no }: QuestionProps) {
  const first = useRef<HTMLButtonElement>(null);
  useEffect(() => first.current?.focus(), []);
  return (
    <div class="note" role="group" aria-label="This run is not over">
      This run is at step {run.stepsDone.value.toLocaleString("en")} of {run.ready.steps.toLocaleString("en")}. Throw it
      away?{" "}
      <button type="button" ref={first} onClick={no}>
        Keep it
      </button>{" "}
      <button type="button" class="danger" onClick={yes}>
        Begin anew
      </button>
    </div>
  );
}

function nameOf(speed: Speed): string {
  if (speed === undefined) return "a run in 12 seconds";
  return speed === Infinity
    ? "as fast as possible"
    : `${speed.toLocaleString("en")} ${speed === 1 ? "step" : "steps"} per second`;
}
