import { computed, signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { LiveCurve } from "./board/live-curve";
import { BoardPane } from "./board/pane";
import type { BoardSession } from "./board/session";
import { LossChart } from "./components/chart";
import { OfflineNotice } from "./offline/offline-notice";
import { PaneBoundary } from "./components/pane-boundary";
import { DropHint } from "./file-drop";
import { InsidePane } from "./inside/pane";
import { notice } from "./notice";
import { uncaughtError } from "./uncaught-errors";
import { StepPane } from "./step/pane";
import { TrainPane } from "./train/pane";
import type { Workbench } from "./workbench/workbench";

const PANES = [
  { id: "train", title: "Train here" },
  { id: "step", title: "One step" },
  { id: "inside", title: "Look inside" },
  { id: "board", title: "Your board" },
] as const;

const hash = signal(location.hash);
/** The pane that the URL fragment selects. */
const current = computed(() => PANES.find(({ id }) => hash.value.split("&")[0] === `#${id}`) ?? PANES[0]);

interface Props {
  readonly bench: Workbench;
  readonly session: BoardSession;
  /** The loss curve of the board. */
  readonly curve: LiveCurve;
}

/** Links to the panes, for the header in index.html. */
export function PaneLinks() {
  return (
    <>
      {PANES.map(({ id, title }) => (
        <a key={id} href={`#${id}`} aria-current={id === current.value.id ? "page" : undefined}>
          {title}
        </a>
      ))}
    </>
  );
}

/** The page below its header. */
export function App({ bench, session, curve }: Props) {
  useEffect(() => {
    const follow = (): void => void (hash.value = location.hash);
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  const { id: pane, title } = current.value;
  useEffect(() => void (document.title = `${title} · esp32gpt`), [title]);
  return (
    <>
      <main>
        {uncaughtError.value !== "" && (
          <>
            <p class="problem" role="alert">
              An internal error occurred ({uncaughtError.value}): reload the page.
            </p>
            <p>
              <button type="button" onClick={() => (uncaughtError.value = "")}>
                Hide this message
              </button>
            </p>
          </>
        )}
        {notice.value !== "" && (
          <p class="problem" role="alert">
            {notice.value}
          </p>
        )}
        <DropHint />
        <PaneBoundary key={pane} bench={bench}>
          {pane === "train" && <TrainPane bench={bench} />}
          {pane === "step" && <StepPane bench={bench} />}
          {pane === "inside" && <InsidePane bench={bench} />}
          {pane === "board" && (
            <BoardPane
              session={session}
              chart={
                <section class="card" aria-label="Loss">
                  <h3>Loss</h3>
                  <LossChart source={curve} />
                  <p class="muted">
                    How surprised the model on the board is by the next character: it falls as the board learns.
                  </p>
                </section>
              }
              trained={() => bench.checkpoint()}
            />
          )}
        </PaneBoundary>
      </main>
      <footer>
        <p>
          Everything happens in your browser; nothing is sent anywhere. <a href="./lesson.html">A lesson</a> of 45
          minutes for a class. <a href="./licenses.md">Licences</a> of the software in this page.
        </p>
        <OfflineNotice />
      </footer>
    </>
  );
}
