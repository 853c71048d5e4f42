import type { VNode } from "preact";
import type { BoardSession } from "./session";

interface CheckpointsProps {
  readonly session: BoardSession;
  readonly trained?: () => Promise<Uint8Array | undefined>;
}

/** Fetches and sends the board's checkpoint, with a progress bar. */
export function Checkpoints({ session, trained }: CheckpointsProps): VNode {
  const isOff = !session.isReady.value;
  const fetch = async (): Promise<void> => {
    const fetched = await session.transfers.fetchCheckpoint();
    if (fetched) download(fetched.bytes, `esp32gpt-${fetched.steps}-steps.safetensors`);
  };
  const sendTrained = async (): Promise<void> => {
    const bytes = await trained?.();
    if (bytes) await session.transfers.sendCheckpoint(bytes, "The model of this page");
    else session.onRemark("There is no model in this page yet: train one first.");
  };
  return (
    <section class="card" aria-labelledby="board-checkpoint">
      <h3 id="board-checkpoint">Its checkpoint</h3>
      <div class="row">
        <button type="button" disabled={isOff} onClick={() => void fetch()}>
          Fetch its checkpoint
        </button>
        {trained && (
          <button type="button" disabled={isOff} onClick={() => void sendTrained()}>
            Send the model trained here
          </button>
        )}
      </div>
      <label for="board-file">Send a checkpoint from disk</label>
      <input
        id="board-file"
        type="file"
        accept=".safetensors"
        disabled={isOff}
        onChange={({ currentTarget }) => {
          const file = currentTarget.files?.[0];
          if (file) void session.transfers.takeCheckpoint(file);
          // Allows the same file to be chosen again.
          currentTarget.value = "";
        }}
      />
      <Carried session={session} />
    </section>
  );
}

function Carried({ session }: { readonly session: BoardSession }): VNode | null {
  const carrying = session.transfers.carrying.value;
  if (!carrying) return null;
  const { what, done, total } = carrying;
  return (
    <div class="row carried">
      <label for="board-carried">{what}</label>
      <progress id="board-carried" value={done} max={total} />
      <button type="button" onClick={() => session.cancel()}>
        Cancel
      </button>
    </div>
  );
}

function download(bytes: Uint8Array, name: string): void {
  const address = URL.createObjectURL(new Blob([new Uint8Array(bytes)], { type: "application/octet-stream" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // Not before the browser has started to read it.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
