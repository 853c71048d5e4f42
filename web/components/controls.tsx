import type { Speed } from "../workbench/address";
import type { Workbench } from "../workbench/workbench";
import { exitOf } from "./exit";

/** The speeds to choose from. */
const SPEEDS: readonly Speed[] = [1, 2, 5, 10, 20, 50, undefined, 100, 200, 500, 1000, Infinity];

/** Buttons to start, pause and stop, the speed, and messages about failures. */
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
            <button type="button" class="primary" onClick={() => bench.attempt(run.pause())}>
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
          <button
            type="button"
            disabled={!run || isRunning || (!next && (isOver || !canGoOn))}
            onClick={() => bench.attempt(bench.step())}
          >
            One step
          </button>
          <button type="button" disabled={!isUnderWay} onClick={() => bench.attempt(run?.stop())}>
            Stop
          </button>
          <button
            type="button"
            disabled={!run || hasProblem || stepsDone === 0}
            onClick={() => bench.attempt(bench.startFromAnotherSeed())}
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
      <p class="problem" role="alert">
        {bench.trouble.value || bench.problem.value || run?.problem.value}
      </p>
    </>
  );
}

function nameOf(speed: Speed): string {
  if (speed === undefined) return "a run in 12 seconds";
  return speed === Infinity
    ? "as fast as possible"
    : `${speed.toLocaleString("en")} ${speed === 1 ? "step" : "steps"} per second`;
}
