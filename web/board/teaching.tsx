import { useState } from "preact/hooks";
import type { BoardSession } from "./session";

/** Sends words of the user to the board. */
export function Teaching({ session }: { readonly session: BoardSession }) {
  const [text, setText] = useState("");
  const teach = async (): Promise<void> => {
    if (await session.transfers.teach(text)) setText("");
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
