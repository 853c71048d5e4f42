import type { Sample } from "../worker/messages";
import type { Run } from "../workbench/run";

/** Maximum number of words shown that were generated during the training. */
const SHOWN = 24;

/** The words that the model has generated, each marked as new or as known from the dataset. */
export function Words({ run }: { readonly run: Run }) {
  const samples = run.samples.value.slice(-SHOWN);
  const last = run.lastNames.value;
  return (
    <section class="card words" aria-label="What it writes">
      <h2>What it writes</h2>
      <p class="muted">
        As it learns, it writes a word now and then, at first noise: the number is the step. Words of its list are
        marked “known”, invented ones “new”.
      </p>
      <ol class="samples">
        {samples.map((sample, i) => (
          <li key={`${sample.step} ${i}`}>
            <span class="step">{sample.step}</span> <Word sample={sample} />
          </li>
        ))}
      </ol>
      {last.length > 0 && (
        <>
          <h3>After the training</h3>
          <ol class="samples names">
            {last.map((sample, i) => (
              <li key={i}>
                <Word sample={sample} />
              </li>
            ))}
          </ol>
        </>
      )}
    </section>
  );
}

/** A word, marked as known or new if that can be determined. An empty word has no mark. */
export function Word({ sample: { name, isKnown } }: { readonly sample: Sample }) {
  const kind = name === "" ? "empty" : isKnown ? "known" : "new";
  const isMarked = name === "" || isKnown !== undefined;
  return (
    <>
      <bdi>{name === "" ? "(nothing)" : name}</bdi>
      {isMarked && (
        <>
          {" "}
          <span class={`tag ${kind}`}>{kind}</span>
        </>
      )}
    </>
  );
}
