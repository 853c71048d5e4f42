import type { Signal } from "@preact/signals";
import type { Workbench } from "../workbench";

/** Steps a second, from the slowest to as fast as it can. */
const SPEEDS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, Infinity];

interface Props {
  readonly bench: Workbench;
  /** What could not be done. */
  readonly trouble: Signal<string>;
  readonly attempt: (work: Promise<unknown>) => void;
}

/** Start, pause, stop, and how fast. */
export function Controls({ bench, attempt }: Props) {
  const run = bench.run.value;
  const next = bench.next.value;
  const isRunning = run?.isRunning.value ?? false;
  const stepsDone = run?.stepsDone.value ?? 0;
  const isOver = run?.isOver.value ?? false;
  const hasProblem = bench.problem.value !== "";
  const isUnderWay = stepsDone > 0 && !isOver;
  const speed = bench.speed.value;
  return (
    <div class="card controls">
      <div class="row">
        {isRunning ? (
          <button type="button" class="primary" onClick={() => run && attempt(run.pause())}>
            Pause
          </button>
        ) : (
          <button
            type="button"
            class="primary"
            disabled={!run || (hasProblem && !isUnderWay)}
            onClick={() => attempt(bench.start())}
          >
            {next ? "Train anew" : isUnderWay ? "Go on" : isOver ? "Train again" : "Train"}
          </button>
        )}
        <button type="button" disabled={!run || isRunning || (isOver && !next)} onClick={() => attempt(bench.step())}>
          One step
        </button>
        <button type="button" disabled={!isUnderWay} onClick={() => run && attempt(run.stop())}>
          Stop
        </button>
        <button
          type="button"
          disabled={!run || hasProblem || stepsDone === 0}
          onClick={() => attempt(bench.startFromAnotherSeed())}
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
  );
}

function nameOf(speed: number): string {
  return speed === Infinity
    ? "as fast as it can"
    : `${speed.toLocaleString("en")} ${speed === 1 ? "step" : "steps"} a second`;
}
