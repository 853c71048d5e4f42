import { type LinkEvent, type LinkState, next, type Sign } from "../web/board/link-state";
import { viewOf } from "../web/board/link-view";

const SIGNS: readonly Sign[] = ["text", "noise", "debug", "empty", "loader"];

const EVENTS: readonly LinkEvent[] = [
  { type: "opening" },
  { type: "asked" },
  { type: "answered" },
  { type: "unanswered", sign: undefined, detail: "" },
  ...SIGNS.flatMap((sign): LinkEvent[] => [
    { type: "unanswered", sign, detail: "" },
    { type: "unanswered", sign, detail: "The board has restarted (panic)." },
    { type: "heard", sign },
  ]),
  { type: "lost" },
  { type: "lent" },
  { type: "ended", reason: "" },
  { type: "ended", reason: "You have disconnected it." },
];

/** Every state that events lead to, in any order. */
function allStates(): LinkState[] {
  const found = new Map<string, LinkState>();
  const add = (state: LinkState): void => {
    const key = JSON.stringify(state);
    if (found.has(key)) return;
    found.set(key, state);
    for (const event of EVENTS) add(next(state, event));
  };
  add({ kind: "none", reason: "" });
  return [...found.values()];
}

const STATES = allStates();

/** The sentences that belong to one state alone. */
const SAID: Readonly<Record<LinkState["kind"], RegExp>> = {
  none: /^$|^No board is connected\./,
  connecting: /^Connecting …/,
  answers: /^Connected\./,
  silent: /^Nothing is heard\./,
  foreign:
    /^(Another program runs on it|What it says is hardly text|This is a debug build|The board is empty|The board waits to be flashed)\./,
  gone: /^The board is gone\./,
  flashing: /^The port is kept for flashing\./,
};

test("all kinds of states are reached", () => {
  expect(new Set(STATES.map(({ kind }) => kind))).toEqual(new Set(Object.keys(SAID)));
  expect(STATES.length).toBeGreaterThan(15);
});

test.each(STATES.map((state) => [JSON.stringify(state), state] as const))("%s says one thing", (_, state) => {
  const { tone, tag, text, advice, parts } = viewOf(state);
  const sentence = `${tag} ${text}`.trim();
  for (const [kind, said] of Object.entries(SAID))
    expect([kind, said.test(sentence)]).toEqual([kind, kind === state.kind]);
  expect(tone === "good").toBe(state.kind === "answers");
  expect(tone === "bad").toBe(["silent", "foreign", "gone"].includes(state.kind));
  // Nothing to be told what to try where nothing is wrong.
  expect(advice.length > 0).toBe(state.kind === "silent" || state.kind === "foreign");
  // The doors, an open port, or the part that flashes: one of the three.
  expect(parts.doors).toBe(state.kind === "none");
  expect(parts.port).toBe(state.kind !== "none" && state.kind !== "flashing");
  expect(parts.work === "shown").toBe(state.kind === "answers");
  // Commands wait only for a board that has answered before, and are then beside what it has said.
  if (parts.work !== "none") expect(parts.output).toBe("all");
  if (state.kind === "silent" || state.kind === "foreign") expect(parts.work).toBe("none");
});

function after(...events: readonly LinkEvent[]): LinkState {
  return events.reduce<LinkState>(next, { kind: "none", reason: "" });
}

const [opening, asked, answered, lost] = (["opening", "asked", "answered", "lost"] as const).map((type) => ({ type }));

test("what was typed stays for a board that is back, and not for another one", () => {
  expect(after(opening, answered, lost, asked)).toEqual({ kind: "connecting", hasAnswered: true });
  expect(after(opening, answered, opening)).toEqual({ kind: "connecting", hasAnswered: false });
  expect(after(opening, lost)).toEqual({ kind: "gone", hasAnswered: false });
});

test("a board that restarts again and again stays what it was, until it answers", () => {
  const empty: LinkEvent = { type: "unanswered", sign: "empty", detail: "" };
  expect(after(opening, asked, empty, asked, asked).kind).toBe("foreign");
  expect(after(opening, asked, empty, asked, answered).kind).toBe("answers");
});

test("text while a board is asked may be what it said before; an empty flash is sure", () => {
  expect(after(opening, asked, { type: "heard", sign: "text" }).kind).toBe("connecting");
  expect(after(opening, asked, { type: "heard", sign: "empty" })).toMatchObject({ kind: "foreign", sign: "empty" });
  expect(after(opening, answered, { type: "heard", sign: "text" }).kind).toBe("answers");
});
