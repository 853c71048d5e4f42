import type { BoardSession } from "./session";

/** The two ways to a board: one without esp32gpt, and one with it. */
export function Doors({ session }: { readonly session: BoardSession }) {
  return (
    <>
      <div class="doors">
        <section class="card door" aria-labelledby="door-new">
          <h3 id="door-new">I have a new board</h3>
          <p>
            This page puts esp32gpt on any ESP32, S3, C3 or C6; you install nothing. What is on the board now is
            replaced.
          </p>
          <ol>
            <li>Plug it into a USB port of this computer.</li>
            <li>Press the button, and choose its port in the browser’s list.</li>
            <li>The page finds the chip and proposes an image. Press Flash.</li>
          </ol>
          <button type="button" class="primary" onClick={() => void session.flashing.begin()}>
            Find my board
          </button>
        </section>
        <section class="card door" aria-labelledby="door-known">
          <h3 id="door-known">My board runs esp32gpt</h3>
          <p>Connect it, and watch it learn.</p>
          <ul>
            <li>See its loss curve and the words that it writes.</li>
            <li>Start, pause and steer its training.</li>
            <li>Teach it words of your own.</li>
            <li>Take its model into this page, or send it the one that you trained here.</li>
          </ul>
          <button type="button" class="primary" onClick={() => void session.connect()}>
            Connect my board
          </button>
        </section>
      </div>
      <details class="card">
        <summary>I have no board</summary>
        <WithoutBoard />
      </details>
    </>
  );
}

/** What can be done without Web Serial, or without a board. */
export function WithoutBoard() {
  return (
    <ul class="plain-list">
      <li>
        <a href="#train">Train here</a>: the same program runs in this page.
      </li>
      <li>
        <a href="#inside">Look inside</a> the model that you have trained.
      </li>
      <li>
        Run the simulator: with Node.js, <code>npx esp32gpt monitor --simulate</code> simulates a board, with its
        console.
      </li>
      <li>
        Use the command line with a board, in place of this browser: <code>npx esp32gpt flash IMAGE</code> writes an
        image, and <code>npx esp32gpt monitor</code> connects.
      </li>
    </ul>
  );
}
