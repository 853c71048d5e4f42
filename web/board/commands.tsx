import type { VNode } from "preact";
import { useRef, useState } from "preact/hooks";
import type { BoardSession } from "./session";

/** Commands without arguments. */
const WORDS: readonly (readonly [command: string, label: string])[] = [
  ["pause", "Pause"],
  ["resume", "Resume"],
  ["save", "Save"],
  ["status", "Status"],
  ["eval", "Evaluate"],
  ["stop", "Stop writing and evaluating"],
];

/** Buttons for the common commands. */
export function Commands({ session }: { readonly session: BoardSession }): VNode {
  const isOff = session.link.value.kind !== "answers";
  return (
    <section class="card" aria-labelledby="board-commands">
      <h3 id="board-commands">Tell it what to do</h3>
      <div class="row">
        {WORDS.map(([command, label]) => (
          <button key={command} type="button" disabled={isOff} onClick={() => session.run(command)}>
            {label}
          </button>
        ))}
        <Reset session={session} isOff={isOff} />
      </div>
      <Train session={session} isOff={isOff} />
      <Generate session={session} isOff={isOff} />
    </section>
  );
}

interface CommandProps {
  readonly session: BoardSession;
  readonly isOff: boolean;
}

function Train({ session, isOff }: CommandProps): VNode {
  const [steps, setSteps] = useState("1000");
  return (
    <form
      class="row"
      onSubmit={(event) => {
        event.preventDefault();
        session.run(`train ${steps}`);
      }}
    >
      <label>
        Steps
        <input
          type="number"
          min={1}
          step={1}
          required
          value={steps}
          onInput={({ currentTarget }) => setSteps(currentTarget.value)}
        />
      </label>
      <button disabled={isOff}>Train</button>
    </form>
  );
}

function Generate({ session, isOff }: CommandProps): VNode {
  const [count, setCount] = useState("10");
  const [temperature, setTemperature] = useState("0.8");
  const [prefix, setPrefix] = useState("");
  return (
    <form
      class="row"
      onSubmit={(event) => {
        event.preventDefault();
        session.run(`generate ${count} ${temperature} ${prefix}`.trimEnd());
      }}
    >
      <label>
        How many
        <input
          type="number"
          min={1}
          max={1000}
          step={1}
          required
          value={count}
          onInput={({ currentTarget }) => setCount(currentTarget.value)}
        />
      </label>
      <label>
        Temperature
        <input
          type="number"
          min={0.1}
          max={5}
          step="any"
          required
          value={temperature}
          onInput={({ currentTarget }) => setTemperature(currentTarget.value)}
        />
      </label>
      <label>
        Begins with
        <input
          type="text"
          size={8}
          spellcheck={false}
          value={prefix}
          onInput={({ currentTarget }) => setPrefix(currentTarget.value)}
        />
      </label>
      <button disabled={isOff}>Write words</button>
    </form>
  );
}

function Reset({ session, isOff }: CommandProps): VNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const close = (): void => dialog.current?.close();
  return (
    <>
      <button type="button" disabled={isOff} onClick={() => dialog.current?.showModal()}>
        Reset training…
      </button>
      <dialog ref={dialog} aria-labelledby="board-reset">
        <p id="board-reset">
          The board forgets all that it has learnt and starts from fresh weights. Do you want that?
        </p>
        <div class="row">
          <button
            type="button"
            class="danger"
            onClick={() => {
              close();
              session.run("reset");
            }}
          >
            Forget it all
          </button>
          <button type="button" onClick={close}>
            Keep it
          </button>
        </div>
      </dialog>
    </>
  );
}
