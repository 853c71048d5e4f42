import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { InputError } from "../../src/gpt/base/errors";
import { hasRelativeBias, type ModelConfig } from "../../src/gpt/model/config";
import type { Measured, Omission, WhatIf } from "../worker/questions";
import type { Run } from "../workbench/run";
import { Word } from "../components/words";
import { LayerChoice } from "./layer-choice";
import "./what-if.css";

/** Maximum number of heads of a layer that are offered: a row of more could not be read. */
const MOST_HEADS = 64;

interface Props {
  readonly run: Run;
  readonly config: ModelConfig;
}

interface Result {
  readonly parts: readonly string[];
  readonly answer: WhatIf;
}

/** Leaves parts out of a copy of the model: what it loses, and what it writes then. Another run needs another card. */
export function WhatIfCard({ run, config }: Props) {
  /** Keys of the parts: "positions", "distances", "mlp LAYER", "head LAYER HEAD". */
  const left = useSignal<ReadonlySet<string>>(new Set());
  const layer = useSignal(0);
  const isAsking = useSignal(false);
  const result = useSignal<Result | undefined>(undefined);
  const refusal = useSignal("");
  const isStale = useRef(false);

  // One at a time: each is a copy of the model. The last choice is measured when the one before it is done.
  const ask = async (): Promise<void> => {
    isStale.current = true;
    if (isAsking.value) return;
    isAsking.value = true;
    try {
      while (isStale.current) {
        isStale.current = false;
        await measure([...left.value]);
      }
    } finally {
      isAsking.value = false;
    }
  };
  const measure = async (keys: readonly string[]): Promise<void> => {
    try {
      const answer = keys.length > 0 && (await run.ask("whatIf", omissionOf(keys)));
      const parts = keys.toSorted().map((key) => titleOf(key, config.nLayer));
      result.value = answer ? { answer, parts } : undefined;
      refusal.value = "";
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      refusal.value = error.message;
    }
  };
  const toggle = (key: string): void => {
    const next = new Set(left.value);
    if (!next.delete(key)) next.add(key);
    left.value = next;
    void ask();
  };
  const shown = Math.min(layer.value, config.nLayer - 1);
  const part = (key: string, title: string) => (
    <label class="inline" key={key}>
      <input type="checkbox" checked={left.value.has(key)} onChange={() => toggle(key)} />
      <span>{title}</span>
    </label>
  );
  const { value: found } = result;
  return (
    <section class="card what-if" aria-label="What if">
      <h2>What if a part were missing?</h2>
      <p class="muted">
        Leave parts out and see what they were good for: the weights that pass their results on are set to zero, in a
        copy. The training stays as it is.
      </p>
      <fieldset class="row">
        <legend>Without</legend>
        <LayerChoice count={config.nLayer} layer={layer} name="what-if-layer" />
        {Array.from({ length: Math.min(config.nHead, MOST_HEADS) }, (_, head) =>
          part(`head ${shown} ${head}`, `head ${head + 1}`),
        )}
        {part(`mlp ${shown}`, "the MLP")}
        {part("positions", "positions")}
        {hasRelativeBias(config) && part("distances", "distances")}
      </fieldset>
      <p class="problem" role="alert">
        {refusal.value}
      </p>
      <div aria-busy={isAsking.value}>
        {found ? (
          <Comparison result={found} />
        ) : (
          <p class="muted">{isAsking.value ? "It is being measured …" : "Tick a part to compare."}</p>
        )}
      </div>
      {found && (
        <button type="button" onClick={() => void ask()}>
          Measure again
        </button>
      )}
    </section>
  );
}

function Comparison({ result: { answer, parts } }: { readonly result: Result }) {
  const { step, documents, isHeldOut, whole, without } = answer;
  // Of the digits that are shown.
  const more = Number(without.loss.toFixed(3)) - Number(whole.loss.toFixed(3));
  const count = `${documents.toLocaleString("en")} ${documents === 1 ? "word" : "words"}`;
  return (
    <>
      <p role="status">
        At step {step.toLocaleString("en")}, without {parts.join(", ")}, the loss is{" "}
        <strong>{without.loss.toFixed(3)}</strong> instead of {whole.loss.toFixed(3)}: {differenceOf(more)}.
      </p>
      <p class="muted">
        The loss is how surprised it is by each next letter, on average: the lower, the better. Measured on {count}{" "}
        {isHeldOut
          ? "that it has never trained on."
          : "of the list itself, as none are held out: it has trained on them."}{" "}
        Both write from the same random numbers.
      </p>
      <div class="columns">
        <Words title="The whole model" measured={whole} />
        <Words title={`Without ${parts.join(", ")}`} measured={without} />
      </div>
    </>
  );
}

function Words({ title, measured: { loss, words } }: { readonly title: string; readonly measured: Measured }) {
  return (
    <div>
      <h3>
        {title} <small>loss {loss.toFixed(3)}</small>
      </h3>
      <ol class="samples names">
        {words.map((name, i) => (
          <li key={i}>
            <Word sample={{ step: 0, name }} />
          </li>
        ))}
      </ol>
    </div>
  );
}

function differenceOf(more: number): string {
  const digits = Math.abs(more).toFixed(3);
  if (digits === "0.000") return "no difference in three digits";
  return more > 0 ? `${digits} worse` : `${digits} better`;
}

function omissionOf(keys: readonly string[]): Omission {
  const of = (kind: string): number[][] =>
    keys.filter((key) => key.startsWith(`${kind} `)).map((key) => key.split(" ").slice(1).map(Number));
  return {
    heads: of("head").map(([layer = 0, head = 0]) => ({ layer, head })),
    mlps: of("mlp").map(([layer = 0]) => layer),
    positions: keys.includes("positions"),
    distances: keys.includes("distances"),
  };
}

function titleOf(key: string, layers: number): string {
  const [kind, layer, head] = key.split(" ");
  const where = layers > 1 && layer !== undefined ? ` of layer ${Number(layer) + 1}` : "";
  if (kind === "head") return `head ${Number(head) + 1}${where}`;
  return kind === "mlp" ? `the MLP${where}` : key;
}
