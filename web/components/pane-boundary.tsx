import { Component, type ComponentChildren, type VNode } from "preact";
import type { Workbench } from "../workbench/workbench";
import { download } from "./download";
import { downloadLosses } from "./download-losses";

interface Props {
  readonly bench: Workbench;
  readonly children: ComponentChildren;
}

interface State {
  readonly problem?: string | undefined;
}

/** Shows a message in the place of a part of the page that has thrown an error; the training goes on. */
export class PaneBoundary extends Component<Props, State> {
  override state: State = {};

  override componentDidCatch(error: unknown): void {
    // Who develops the page wants the stack.
    console.error(error);
    this.setState({ problem: String(error) });
  }

  override render({ bench, children }: Props, { problem }: State): ComponentChildren {
    if (problem === undefined) return children;
    return <Failure bench={bench} problem={problem} again={() => this.setState({ problem: undefined })} />;
  }
}

interface FailureProps {
  readonly bench: Workbench;
  readonly problem: string;
  readonly again: () => void;
}

function Failure({ bench, problem, again }: FailureProps): VNode {
  const run = bench.run.value;
  return (
    <section class="card failure" aria-label="This part failed">
      <p class="problem" role="alert">
        An internal error ended this part of the page, but not the training: {problem}
      </p>
      <div class="row">
        <button type="button" class="primary" onClick={again}>
          Show this part again
        </button>
        {run && (
          <>
            <button type="button" onClick={() => downloadLosses(run)}>
              Download the losses
            </button>
            <button
              type="button"
              onClick={() =>
                bench.attempt(
                  run.ask("checkpoint").then((bytes) => download(`esp32gpt-${run.stepsDone.value}.safetensors`, bytes)),
                )
              }
            >
              Download the checkpoint
            </button>
          </>
        )}
      </div>
      <p class="problem">{bench.trouble.value}</p>
    </section>
  );
}
