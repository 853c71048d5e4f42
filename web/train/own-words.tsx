import { useEffect, useState } from "preact/hooks";
import { InputError } from "../../src/gpt/base/errors";
import "./own-words.css";
import type { Run } from "../workbench/run";
import { sendWords } from "../workbench/send-words";
import type { Workbench } from "../workbench/workbench";

/** Interval between measurements of the words while it trains, in milliseconds. */
const INTERVAL = 1000;

interface Props {
  readonly bench: Workbench;
  readonly run: Run;
}

/** Words of the user, which the training in this page is taught beside its list, as a board is. */
export function OwnWords({ bench, run }: Props) {
  const [text, setText] = useState("");
  const [message, setMessage] = useState("");
  const words = run.ownWords.value;
  // Both tabs would store words of their own.
  const isElsewhere = run.obstacle.value === "elsewhere";
  const hasWords = words.length > 0;
  useEffect(() => {
    if (!hasWords) return undefined;
    // The training may have gone on since the words were measured.
    let seen = -1;
    const timer = setInterval(() => {
      const { value } = run.changes;
      if (value === seen) return;
      seen = value;
      // A training that has ended has no more to say.
      run.updateOwnWords().catch(ignoreInputErrors);
    }, INTERVAL);
    return () => clearInterval(timer);
  }, [run, hasWords]);

  const change = async (work: () => Promise<string>): Promise<void> => {
    try {
      setMessage(await work());
    } catch (error) {
      ignoreInputErrors(error);
      setMessage((error as InputError).message);
    }
    await run.updateOwnWords().catch(ignoreInputErrors);
    bench.ownWordsChanged();
  };
  const teach = (): Promise<void> =>
    change(async () => {
      const told = await sendWords(text, {
        add: (word) => run.ask("addWord", word),
        progress: () => undefined,
        isOver: () => false,
      });
      setText("");
      return told;
    });
  const forget = (word: string): Promise<void> =>
    change(async () => {
      await run.ask("forgetWord", word);
      return "";
    });

  return (
    <section class="card own-words" aria-label="Your own words">
      <h2>Teach it your own words</h2>
      <p class="muted">
        Names of friends, of pets, of a game: it trains on them as well as on its list. Half of the words that it sees
        are then yours.
      </p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void teach();
        }}
      >
        <label class="field">
          <span>Words, one per line</span>
          <textarea
            name="own-words"
            rows={3}
            spellcheck={false}
            value={text}
            onInput={({ currentTarget }) => setText(currentTarget.value)}
          />
        </label>
        <button disabled={isElsewhere}>Teach</button>
      </form>
      <p role="status">{isElsewhere ? "This training goes on in another tab: teach it there." : message}</p>
      {hasWords && (
        <>
          <table>
            <caption class="hidden">Your words, and how surprising each is to the model now</caption>
            <thead>
              <tr>
                <th scope="col">word</th>
                <th scope="col">loss</th>
                <td />
              </tr>
            </thead>
            <tbody>
              {words.map(({ word, loss }) => (
                <tr key={word}>
                  <th scope="row">
                    <bdi>{word}</bdi>
                  </th>
                  <td>{loss?.toFixed(2) ?? "–"}</td>
                  <td>
                    <button
                      type="button"
                      disabled={isElsewhere}
                      aria-label={`Forget ${word}`}
                      onClick={() => void forget(word)}
                    >
                      Forget
                    </button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
          <p class="muted">
            The loss says how surprising the word is to the model now, per letter: it falls as it learns.{" "}
            {run.isOver.value && "This training is over: train again, and it learns them too. "}
            {run.ready.isKept
              ? "Your words are kept in this browser with the training, and stay while the list is the same."
              : "This browser keeps nothing: after a reload they are gone."}
          </p>
        </>
      )}
    </section>
  );
}

/** @throws errors that are not InputErrors */
function ignoreInputErrors(error: unknown): void {
  if (!(error instanceof InputError)) throw error;
}
