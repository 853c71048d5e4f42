/*
 * The state of the link to a board. All that the page says about the link and all that it offers follow from it
 * (link-view.ts), so that it cannot say two things at once.
 */

/** Why a board that says something is not taken for one that runs esp32gpt. */
export type Sign =
  /** Text of another program. */
  | "text"
  /** Bytes that are hardly text. */
  | "noise"
  /** A debug build, which talks to the debugger. */
  | "debug"
  /** The ROM finds no program in the flash. */
  | "empty"
  /** The ROM waits for a program to be flashed. */
  | "loader";

export type LinkState =
  /** No port is in use. `reason` says why not any more, or why not yet: a sentence, or "". */
  | { readonly kind: "none"; readonly reason: string }
  /** The port is being opened, or the board was asked and has not answered yet. */
  | { readonly kind: "connecting"; readonly hasAnswered: boolean }
  /** It runs esp32gpt and answers. */
  | { readonly kind: "answers" }
  /** The port is open, and nothing comes from it. */
  | { readonly kind: "silent" }
  /** What comes is not what esp32gpt says. `detail` is a sentence that says more, or "". */
  | { readonly kind: "foreign"; readonly sign: Sign; readonly detail: string }
  /** The board is unplugged, and connected again when it is back. */
  | { readonly kind: "gone"; readonly hasAnswered: boolean }
  /** The port belongs to the part that flashes. */
  | { readonly kind: "flashing" };

export type LinkEvent =
  /** The user has chosen a port, or has the board asked again. */
  | { readonly type: "opening" }
  /** The board is asked because it is back or has restarted. */
  | { readonly type: "asked" }
  | { readonly type: "answered" }
  /** It has not answered. `sign` is undefined if nothing was heard. */
  | { readonly type: "unanswered"; readonly sign: Sign | undefined; readonly detail: string }
  /** Something was heard that is not esp32gpt's. */
  | { readonly type: "heard"; readonly sign: Sign }
  | { readonly type: "lost" }
  | { readonly type: "lent" }
  | { readonly type: "ended"; readonly reason: string };

/** The state after an event. An event that says nothing new gives the same state. */
export function next(state: LinkState, event: LinkEvent): LinkState {
  switch (event.type) {
    case "opening":
      return { kind: "connecting", hasAnswered: false };
    case "asked":
      // What a board that restarts again and again has said stays, until it answers.
      if (state.kind === "silent" || state.kind === "foreign") return state;
      return { kind: "connecting", hasAnswered: hasAnswered(state) };
    case "answered":
      return { kind: "answers" };
    case "unanswered": {
      const { sign, detail } = event;
      return sign ? { kind: "foreign", sign, detail } : { kind: "silent" };
    }
    case "heard": {
      const { sign } = event;
      // The other signs may come from a program that runs no more.
      const isSure = sign === "empty" || sign === "loader" || sign === "debug";
      if (state.kind === "silent" || (state.kind === "connecting" && isSure))
        return { kind: "foreign", sign, detail: "" };
      return state.kind === "foreign" && state.sign !== sign ? { ...state, sign } : state;
    }
    case "lost":
      return { kind: "gone", hasAnswered: hasAnswered(state) };
    case "lent":
      return { kind: "flashing" };
    case "ended":
      return { kind: "none", reason: event.reason };
  }
}

/** Whether the board at this port has answered, so that what it said is worth keeping. */
export function hasAnswered(state: LinkState): boolean {
  return state.kind === "answers" || ("hasAnswered" in state && state.hasAnswered);
}
