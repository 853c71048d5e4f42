import type { VNode } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { BoardSession } from "./session";

/** Lines that can be had back with the arrow keys. */
const HISTORY = 100;
/** So near to its end the console follows what comes; pixels. */
const NEAR = 40;

/** What the board says, and a line to type in. */
export function Console({ session }: { readonly session: BoardSession }): VNode {
  return (
    <section class="card" aria-labelledby="board-console">
      <h3 id="board-console">Console</h3>
      <Lines session={session} />
      <Line session={session} />
    </section>
  );
}

function Lines({ session }: { readonly session: BoardSession }): VNode {
  const pane = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  const lines = session.lines.value;
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
      // It is scrolled with the keyboard, too.
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
  /** How many lines back it is. */
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
