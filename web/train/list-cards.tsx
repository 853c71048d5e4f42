import { useSignal } from "@preact/signals";
import { OWN } from "../workbench/address";
import { LISTS } from "../workbench/lists";
import type { Workbench } from "../workbench/workbench";
import { OwnListForm } from "./own-list-form";

const HINTS = ["one word a line, in any alphabet"];

/** The lists as cards, each with some of its words, and the form for a custom one. */
export function ListCards({ bench }: { readonly bench: Workbench }) {
  const isOpen = useSignal(false);
  const chosen = bench.choice.value.list;
  const isOwn = chosen.startsWith(`${OWN}-`);
  const prepared = bench.next.value ?? bench.run.value;
  const own = isOwn && prepared?.choice.list === chosen ? prepared.ready.examples : HINTS;
  return (
    <section class="lists" aria-label="What it learns">
      <ul class="list-cards">
        {LISTS.map((list) => (
          <li key={list.id}>
            <button
              type="button"
              aria-pressed={list.id === chosen}
              onClick={() => {
                isOpen.value = false;
                if (list.id !== chosen) bench.takeList(list);
              }}
            >
              <strong>{list.title}</strong>
              <Samples words={list.samples} />
            </button>
          </li>
        ))}
        <li>
          <button
            type="button"
            aria-pressed={isOwn}
            aria-expanded={isOpen.value}
            onClick={() => (isOpen.value = !isOpen.value)}
          >
            <strong>A list of your own</strong>
            <Samples words={own} />
          </button>
        </li>
      </ul>
      {isOpen.value && <OwnListForm bench={bench} />}
    </section>
  );
}

function Samples({ words }: { readonly words: readonly string[] }) {
  return (
    <span class="list-samples">
      {words.map((word, i) => (
        <bdi key={i}>{word}</bdi>
      ))}
    </span>
  );
}
