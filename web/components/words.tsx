import type { Sample } from "../worker/messages";

/**
 * A word, with how improbable its model finds it, and marked as known or new if that can be determined. An empty word
 * is neither.
 */
export function Word({ sample: { name, isKnown, bits } }: { readonly sample: Sample }) {
  const kind = name === "" ? "empty" : isKnown ? "known" : "new";
  const isMarked = name === "" || isKnown !== undefined;
  return (
    <>
      <bdi>{name === "" ? "(nothing)" : name}</bdi>
      {bits !== undefined && (
        <>
          {" "}
          <span class="bits">
            {bits.toFixed(1)}
            <span class="hidden"> bits a letter</span>
          </span>
        </>
      )}
      {isMarked && (
        <>
          {" "}
          <span class={`tag ${kind}`}>{kind}</span>
        </>
      )}
    </>
  );
}
