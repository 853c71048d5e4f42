import type { ComponentChildren, VNode } from "preact";
import { useState } from "preact/hooks";
import "./board.css";
import { Checkpoints } from "./checkpoints";
import { Commands } from "./commands";
import { Console } from "./console";
import type { BoardSession, Connection } from "./session";

export interface BoardPaneProps {
  readonly session: BoardSession;
  /** The loss chart of the board's training. */
  readonly chart?: ComponentChildren;
  /** The checkpoint of the training in this page; undefined if there is none. */
  readonly trained?: () => Promise<Uint8Array | undefined>;
  /** The part of the pane that flashes a board. */
  readonly flash?: ComponentChildren;
}

const CONNECTIONS: Readonly<Record<Connection, string>> = {
  none: "No board is connected.",
  connecting: "The port is open; identifying the board.",
  connected: "Connected.",
  waiting: "The board is gone. It reconnects when it is plugged in; some boards must be connected by hand.",
};

/** The pane of a connected board: its state, loss curve, words, console and commands. */
export function BoardPane({ session, chart, trained, flash }: BoardPaneProps): VNode {
  const { obstacle } = session;
  return (
    <section class="board" aria-labelledby="board-title">
      <h2 id="board-title">Your board</h2>
      {obstacle === undefined ? <Link session={session} /> : <p class="card">{obstacle}</p>}
      <Alert session={session} />
      {obstacle === undefined && (
        <>
          {chart}
          <Names session={session} />
          <div class="board-cards">
            <Commands session={session} />
            <Teaching session={session} />
            <Checkpoints session={session} {...(trained && { trained })} />
          </div>
          <Console session={session} />
        </>
      )}
      {flash}
    </section>
  );
}

function Link({ session }: { readonly session: BoardSession }): VNode {
  const connection = session.connection.value;
  const isOn = connection !== "none";
  const text = session.isText.value ? " It only prints text: see the console." : "";
  return (
    <div class="card">
      <div class="row">
        <button type="button" class="primary" onClick={() => void session.connect()}>
          {isOn ? "Connect another board" : "Connect a board"}
        </button>
        <button type="button" disabled={!isOn} onClick={() => void session.disconnect()}>
          Disconnect
        </button>
        <button
          type="button"

          disabled={!isOn || connection === "waiting"}
          onClick={() => void session.restart()}
        >
          Restart the board
        </button>
      </div>
      <p role="status" class={`connection ${connection}`}>
        {CONNECTIONS[connection]}
        {text}
      </p>
      {isOn ? (
        <State session={session} />
      ) : (
        <p class="muted">
          Connect an ESP32 that runs esp32gpt to a USB port of this computer and watch it learn. Flash one without it at
          the end of this page.
        </p>
      )}
    </div>
  );
}

function State({ session }: { readonly session: BoardSession }): VNode | null {
  const device = session.device.value;
  if (!device) return null;
  const { state, step, steps, loss } = device;
  const shown = (count: number): string => count.toLocaleString("en");
  return (
    <p class="state">
      <strong>{state}</strong>
      {step !== undefined && <span>{`step ${shown(step)}${steps === undefined ? "" : ` of ${shown(steps)}`}`}</span>}
      {loss !== undefined && <span>{`loss ${loss.toFixed(4)}`}</span>}
    </p>
  );
}

function Alert({ session }: { readonly session: BoardSession }): VNode {
  const error = session.error.value;
  return (
    <p role="alert" class="error" hidden={error === ""}>
      {error}
    </p>
  );
}

function Names({ session }: { readonly session: BoardSession }): VNode | null {
  const names = session.names.value;
  if (names.length === 0) return null;
  return (
    <section class="card" aria-labelledby="board-names">
      <h3 id="board-names">Words that it wrote</h3>
      <ol class="names">
        {names.toReversed().map(({ number, name }) => (
          <li key={number}>{name}</li>
        ))}
      </ol>
    </section>
  );
}

function Teaching({ session }: { readonly session: BoardSession }): VNode {
  const [text, setText] = useState("");
  const teach = async (): Promise<void> => {
    if (await session.teach(text)) setText("");
  };
  return (
    <form
      class="card"
      onSubmit={(event) => {
        event.preventDefault();
        void teach();
      }}
    >
      <h3>Teach it words of your own</h3>
      <label for="board-words">Words, one per line: it trains on them as well</label>
      <textarea
        id="board-words"
        rows={5}
        spellcheck={false}
        value={text}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
      />
      <div class="row">
        <button disabled={!session.isReady.value || text.trim() === ""}>Teach</button>
      </div>
    </form>
  );
}
