import type { VNode } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { BoardSession } from "./session";

/** Maximum number of lines in the history. */
const HISTORY = 100;
/** The console scrolls with new output while it is at most this many pixels from its end. */
const NEAR = 40;

/** The board's output and an input line. */
export function Console({ session }: { readonly session: BoardSession }): VNode {
  return (
    <section class="card" aria-labelledby="board-console">
      <h3 id="board-console">Console</h3>
      <Lines session={session} />
      <Line session={session} />
    </section>
  );
}

/** The bare output of a board that is not understood. */
export function Output({ session }: { readonly session: BoardSession }): VNode {
  return (
    <section class="card" aria-labelledby="board-console">
      <h3 id="board-console">What it says</h3>
      <Lines session={session} />
    </section>
  );
}

function Lines({ session }: { readonly session: BoardSession }): VNode {
  const pane = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  const lines = session.log.lines.value;
  useLayoutEffect(() => {
    const { current } = pane;
    if (current && follows.current) current.scrollTop = current.scrollHeight;
  }, [lines]);
  return (
    <div
      ref={pane}
      class="console"
      role="log"
      aria-labelledby="board-console"
      // Focusable, so that it can be scrolled with the keyboard.
      tabIndex={0}
      onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) =>
        (follows.current = scrollHeight - scrollTop - clientHeight < NEAR)
      }
    >
      {lines.map(({ number, kind, text }) => (
        <div key={number} class={kind}>
          {text}
        </div>
      ))}
    </div>
  );
}

function Line({ session }: { readonly session: BoardSession }): VNode {
  const [text, setText] = useState("");
  const history = useRef<string[]>([]);
  /** Position in the history, counted back from the current line. */
  const back = useRef(0);
  const go = (by: number): void => {
    back.current = Math.max(0, Math.min(history.current.length, back.current + by));
    setText(back.current > 0 ? (history.current.at(-back.current) ?? "") : "");
  };
  return (
    <form
      class="row line"
      onSubmit={(event) => {
        event.preventDefault();
        session.run(text);
        if (text.trim() !== "") history.current = [...history.current, text].slice(-HISTORY);
        back.current = 0;
        setText("");
      }}
    >
      <label for="board-line">A line to the board</label>
      <input
        id="board-line"
        type="text"
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        placeholder="help"
        value={text}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
          event.preventDefault();
          go(event.key === "ArrowUp" ? 1 : -1);
        }}
      />
      <button>Send</button>
    </form>
  );
}
