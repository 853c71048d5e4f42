import { useRef } from "preact/hooks";
import type { Characters } from "../inside/characters";
import type { DocumentRecord } from "../worker/step-recording";

interface Props {
  readonly document: DocumentRecord;
  readonly characters: Characters;
  readonly position: number;
  readonly choose: (position: number) => void;
}

/** The positions of a document, one of which is shown. */
export function Letters({ document: { tokens, rows, kept }, characters, position, choose }: Props) {
  const letters = useRef<HTMLDivElement>(null);
  const follow = (event: KeyboardEvent): void => {
    const ahead = characters.isRightToLeft ? -1 : 1;
    const to = { ArrowLeft: position - ahead, ArrowRight: position + ahead, Home: 0, End: kept - 1 }[event.key];
    if (to === undefined) return;
    // The walk has these keys too.
    event.preventDefault();
    const next = Math.max(0, Math.min(to, kept - 1));
    choose(next);
    letters.current?.querySelectorAll("button")[next]?.focus();
  };
  return (
    <div class="letters" role="group" aria-label="Position" dir={characters.direction} ref={letters} onKeyDown={follow}>
      {Array.from(tokens.subarray(0, kept), (token, t) => (
        <button
          key={t}
          type="button"
          aria-label={`Position ${t}, ${characters.nameOf(token)}`}
          aria-pressed={t === position}
          tabIndex={t === position ? 0 : -1}
          onClick={() => choose(t)}
        >
          {characters.symbolOf(token)}
        </button>
      ))}
      {rows > kept && (
        <span class="muted" dir="ltr">
          … {rows - kept} more that are not recorded
        </span>
      )}
    </div>
  );
}
