import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { TrainPane } from "./train/pane";
import type { Workbench } from "./workbench";

const PANES = [
  { id: "train", title: "Train here" },
  { id: "inside", title: "Look inside" },
  { id: "board", title: "Your board" },
] as const;

const hash = signal(location.hash);

/** The page: a head, and one of its panes. */
export function App({ bench }: { readonly bench: Workbench }) {
  useEffect(() => {
    const follow = (): void => void (hash.value = location.hash);
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  const pane = PANES.find(({ id }) => hash.value === `#${id}`)?.id ?? "train";
  return (
    <>
      <header>
        <div>
          <h1>esp32gpt</h1>
          <p>A GPT that is born, trained and used on a four-dollar chip, and in this page: the same program.</p>
        </div>
        <nav aria-label="Parts of the page">
          {PANES.map(({ id, title }) => (
            <a key={id} href={`#${id}`} aria-current={id === pane ? "page" : undefined}>
              {title}
            </a>
          ))}
        </nav>
      </header>
      <main>{pane === "train" && <TrainPane bench={bench} />}</main>
      <footer>
        <p>
          Everything happens in your browser; nothing is sent anywhere. <a href="./licenses.md">Licences</a> of what
          this page is made of.
        </p>
      </footer>
    </>
  );
}
