import fc from "fast-check";
import { Serial } from "../src/device/serial";
import { board } from "./support/moddable/board";

const QUEUE = 2048;

beforeEach(() => board.reset());

function serial(isPerson = true): { port: Serial; lines: string[] } {
  const lines: string[] = [];
  const bytes = {
    read: (into: Uint8Array) => board.read(into),
    write: (queue: Uint8Array, from: number, to: number) => board.write(queue, from, to),
    flush: (milliseconds: number) => board.flush(milliseconds),
  };
  const listener = {
    receive: (line: string) => void lines.push(line),
    refuse: (answer: string) => port.write(`${answer}\n`),
    key: () => undefined,
    isPerson: () => isPerson,
  };
  const port: Serial = new Serial(bytes, (callback, every) => void board.addTimer(callback, every, every), listener);
  return { port, lines };
}

test("text leaves as the port takes it, with the line ends of a terminal, in UTF-8", () => {
  const { port } = serial();
  const text = "=== esp32gpt ===\nžofie 愛 \u{1f426} é\n";
  port.write(text);
  expect(board.sent).toHaveLength(board.fifoSize);
  board.run(100);
  expect(board.text).toBe(text.replaceAll("\n", "\r\n"));
});

test("pieces of a line are a line", () => {
  const { port } = serial();
  port.write("step ");
  port.write("0\nstep");
  port.write("");
  port.write(" 1\n");
  board.run(100);
  expect(board.text).toBe("step 0\r\nstep 1\r\n");
});

test("a port that is too slow loses whole lines, and says once how many", () => {
  const { port } = serial();
  board.bytesAMillisecond = 0;
  for (let i = 0; i < 1000; i++) port.write(`line ${i}\n`);
  expect(board.sent).toHaveLength(board.fifoSize);
  board.bytesAMillisecond = 11;
  board.run(5000);
  port.write("later\n");
  board.run(100);
  const lines = board.text.split("\r\n");
  expect(lines.splice(-3)).toEqual([
    expect.stringMatching(/^\(\d+ lines were dropped: the port was too slow\.\)$/),
    "later",
    "",
  ]);
  expect(lines).toEqual(lines.map((_, i) => `line ${i}`));
  expect(board.text).toContain(`(${1000 - lines.length} lines were dropped`);
  const bytes = lines.join("\r\n").length;
  expect(bytes).toBeGreaterThan(QUEUE - 20);
  expect(bytes).toBeLessThanOrEqual(QUEUE + board.fifoSize);
});

test("a line that is longer than the queue is dropped, and what follows comes", () => {
  const { port } = serial();
  port.write(`${"x".repeat(QUEUE)}\nshort\n`);
  port.write("shorter\n");
  board.run(1000);
  expect(board.text).toMatch(/^\(2 lines were dropped: the port was too slow\.\)\r\nshorter\r\n$/);
});

test("of a line that is dropped within, no more comes", () => {
  const { port } = serial();
  board.bytesAMillisecond = 0;
  port.write("The beginning, ");
  port.write("x".repeat(QUEUE + 1));
  board.bytesAMillisecond = 11;
  board.run(1000);
  port.write("x\nnext\n");
  board.run(100);
  expect(board.text).toBe("The beginning, \r\n(1 line was dropped: the port was too slow.)\r\nnext\r\n");
});

test("whatever is written, and however slow the port: whole lines in order, and the number of the others", () => {
  const line = fc.tuple(fc.constantFrom("a", "é", "愛", "\u{1f426}"), fc.nat(400)).map(([c, n]) => c.repeat(n));
  const step = fc.record({ text: line, speed: fc.nat(20), milliseconds: fc.nat(60) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      board.reset();
      board.fifoSize = 128;
      const { port } = serial();
      steps.forEach(({ text, speed, milliseconds }, i) => {
        board.bytesAMillisecond = speed;
        port.write(`${i}:${text}\n`);
        board.run(milliseconds);
      });
      board.bytesAMillisecond = 11;
      board.run(1000);
      let next = 0;
      for (const shown of board.text.split("\r\n").slice(0, -1)) {
        const dropped = /^\((\d+) lines? (was|were) dropped: the port was too slow\.\)$/.exec(shown);
        if (dropped) next += Number(dropped[1]);
        else expect(shown).toBe(`${next}:${steps[next++].text}`);
      }
      expect(next).toBe(steps.length);
    }),
    { numRuns: 200, endOnFailure: true },
  );
});

test.each([10, 100, 500, 1000])("who writes lines of %d bytes while there is room loses none", (length) => {
  const { port } = serial();
  board.fifoSize = 128;
  board.bytesAMillisecond = 1;
  const lines = Array.from({ length: 100 }, (_, i) => String(i).padStart(length - 2, "."));
  let next = 0;
  for (let i = 0; i < 100_000 && next < lines.length; i++) {
    while (port.canWrite && next < lines.length) port.write(`${lines[next++]}\n`);
    board.run(20);
  }
  board.run(QUEUE * 2);
  expect(board.text).toBe(lines.map((line) => `${line}\r\n`).join(""));
});

test("flush waits until all is sent", () => {
  const { port } = serial();
  board.fifoSize = 128;
  port.write("x".repeat(2000));
  port.flush();
  expect(board.sent).toHaveLength(2000);
});

test.each([0, 0.001, 0.2])("flush does not wait for ever for a port that sends %d bytes a millisecond", (speed) => {
  const { port } = serial();
  board.bytesAMillisecond = speed;
  port.write("x".repeat(2000));
  port.flush();
  expect(board.now).toBeLessThanOrEqual(3200);
});

test("lines come in, as the editor understands them, however they arrive", () => {
  const { port, lines } = serial();
  port.write("");
  board.type("status\r\ngen");
  board.run(20);
  board.type("erx\x7fate 3\r");
  board.run(20);
  expect(lines).toEqual(["status", "generate 3"]);
});

test("a line that will not do is answered through the port", () => {
  const { lines } = serial();
  board.type(`${"x".repeat(5000)}\nstatus\n`);
  board.run(100);
  expect(lines).toEqual(["status"]);
  expect(board.text).toBe("The line is too long: at most 120 bytes.\r\n");
});

test("a flood of input leaves others their turn", () => {
  const { lines } = serial();
  board.type("a\n".repeat(10_000));
  board.run(20);
  expect(lines.length).toBeLessThanOrEqual(4);
  board.run(60_000);
  expect(lines).toHaveLength(10_000);
});
