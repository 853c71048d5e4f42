import type { LinkState } from "./link-state";
import { viewOf } from "./link-view";
import type { BoardSession } from "./session";

/** The state of the link in one sentence, what to try, and the buttons that belong to it. */
export function LinkCard({ session }: { readonly session: BoardSession }) {
  const link = session.link.value;
  const { tone, tag, text, advice, parts } = viewOf(link);
  return (
    <div class={tag === "" ? "" : "card link"}>
      {/* It stays in the page, so that screen readers read every change. */}
      <p role="status" class={`connection ${tone}`} hidden={tag === ""}>
        {tag !== "" && (
          <>
            <strong>{tag}</strong> {text}
          </>
        )}
      </p>
      {advice.length > 0 && (
        <ul class="advice">
          {advice.map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ul>
      )}
      {link.kind === "answers" && <Training session={session} />}
      {parts.port && !session.flashing.isOpen.value && <PortButtons session={session} kind={link.kind} />}
    </div>
  );
}

function PortButtons({ session, kind }: { readonly session: BoardSession; readonly kind: LinkState["kind"] }) {
  const isUnknown = kind === "silent" || kind === "foreign";
  return (
    <div class="row">
      {isUnknown && (
        <>
          <button type="button" class="primary" onClick={() => session.askAgain()}>
            Ask again
          </button>
          <button type="button" onClick={() => void session.flashing.begin()}>
            Flash esp32gpt
          </button>
        </>
      )}
      {(isUnknown || kind === "answers") && (
        <button type="button" onClick={() => void session.restart()}>
          Restart the board
        </button>
      )}
      {kind !== "connecting" && (
        <button type="button" onClick={() => void session.connect()}>
          {kind === "answers" ? "Connect another board" : "Choose another port"}
        </button>
      )}
      <button type="button" onClick={() => void session.disconnect()}>
        {kind === "connecting" ? "Cancel" : kind === "gone" ? "Do not wait" : "Disconnect"}
      </button>
    </div>
  );
}

function Training({ session }: { readonly session: BoardSession }) {
  const device = session.log.device.value;
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
