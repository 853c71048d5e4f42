import type { ComponentChildren } from "preact";
import "./board.css";
import { Checkpoints } from "./checkpoints";
import { Commands } from "./commands";
import { Console, Output } from "./console";
import { Doors, WithoutBoard } from "./doors";
import { FlashPane } from "./flash-pane";
import { LinkCard } from "./link-card";
import { viewOf } from "./link-view";
import type { BoardSession } from "./session";
import { Teaching } from "./teaching";

export interface BoardPaneProps {
  readonly session: BoardSession;
  /** The loss chart of the board's training. */
  readonly chart?: ComponentChildren;
  /** The checkpoint of the training in this page; undefined if there is none. */
  readonly trained?: () => Promise<Uint8Array | undefined>;
}

/** The pane of a board: two doors, then what its link has: flashing, or curve, words, commands and console. */
export function BoardPane({ session, chart, trained }: BoardPaneProps) {
  const { obstacle } = session;
  if (obstacle !== undefined)
    return (
      <section class="board" aria-labelledby="board-title">
        <h2 id="board-title">Your board</h2>
        <div class="card">
          <p>{obstacle}</p>
          <p>Without it you can:</p>
          <WithoutBoard />
        </div>
      </section>
    );
  const link = session.link.value;
  const isFlashing = session.flashing.isOpen.value;
  const { parts } = viewOf(link);
  return (
    <section class="board" aria-labelledby="board-title" data-link={link.kind}>
      <h2 id="board-title">Your board</h2>
      <LinkCard session={session} />
      <Messages session={session} />
      {isFlashing && <FlashPane flashing={session.flashing} />}
      {parts.doors && !isFlashing && <Doors session={session} />}
      {/* Hidden, it keeps what was typed. */}
      {parts.output === "all" && (
        <div hidden={isFlashing}>
          {chart}
          <Names session={session} />
          <div class="board-cards" hidden={parts.work === "hidden"}>
            <Commands session={session} />
            <Teaching session={session} />
            <div>
              <Checkpoints session={session} {...(trained && { trained })} />
              <OtherImage session={session} />
            </div>
          </div>
          <Console session={session} />
        </div>
      )}
      {parts.output === "text" && !isFlashing && <Output session={session} />}
    </section>
  );
}

/** What went wrong last, and what became of the flashing. */
function Messages({ session }: { readonly session: BoardSession }) {
  const error = session.error.value;
  const { text, isBad = false } = session.flashing.message.value;
  return (
    <>
      <p role="alert" class="error" hidden={error === ""}>
        {error}
      </p>
      <p role="status" class={`flash-message ${isBad ? "bad" : ""}`} hidden={text === ""}>
        {text}
      </p>
    </>
  );
}

function Names({ session }: { readonly session: BoardSession }) {
  const names = session.log.names.value;
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

function OtherImage({ session }: { readonly session: BoardSession }) {
  return (
    <section class="card" aria-labelledby="board-image">
      <h3 id="board-image">Its program</h3>
      <p class="muted">Flash a newer esp32gpt, or another. The console is closed meanwhile.</p>
      <div class="row">
        <button type="button" disabled={!session.isReady.value} onClick={() => void session.flashing.begin()}>
          Flash another image
        </button>
      </div>
    </section>
  );
}
