import { Conversation } from "../../src/client/conversation";
import { PERFECT, Simulation } from "../support/channel";
import { FakeDevice } from "../support/fake-device";
import { fileOf } from "../support/scene";

/** A conversation with a device, and what was told of it. */
class Talk {
  readonly told: string[] = [];
  readonly said: string[] = [];
  readonly sent: string[] = [];
  readonly simulation = new Simulation(1);
  readonly device: FakeDevice;
  readonly conversation: Conversation;

  constructor(options: ConstructorParameters<typeof FakeDevice>[2] = {}, onUnanswered?: (reason: Error) => void) {
    this.device = new FakeDevice((line) => this.onEvent(`${line}\r\n`), fileOf(1000), options);
    const link = this.simulation.link((line) => {
      this.sent.push(line);
      this.simulation.carry(line, PERFECT, (arrived) => this.device.receive(arrived));
    });
    const emit =
      (what: string) =>
      (detail: unknown): void =>
        void this.told.push(`${what} ${String(detail)}`);
    this.conversation = new Conversation(
      link,
      {
        onLine: (line) => this.said.push(line),
        onEvent: ({ type }) => emit("event")(type),
        onStatus: ({ state }) => emit("state")(state),
        onRemark: emit("remark"),
        onXsbug: () => emit("found")("xsbug"),
        onNoise: () => emit("found")("noise"),
        onProtocolChange: () => emit("protocol")(this.conversation.speaksProtocol),
        onError: emit("failed"),
        ...(onUnanswered && { onUnanswered }),
      },
      1,
    );
    this.conversation.begin();
  }

  /** Text comes, in its time. */
  onEvent(text: string): void {
    this.simulation.after(1, () => this.conversation.take(text));
  }

  wait(milliseconds: number): Promise<void> {
    return this.simulation.run(new Promise((resolve) => this.simulation.after(milliseconds, resolve)));
  }
}

test("a board is asked to speak to programs, heard, and left as it was", async () => {
  const talk = new Talk();
  await talk.wait(100);
  expect(talk.told).toEqual(["protocol undefined", "state training", "protocol true"]);
  talk.device.emit("name", { number: 1, name: "a\r\nb\x1b[2J" });
  talk.conversation.type("status");
  talk.conversation.type("dance");
  await talk.wait(100);
  expect(talk.said).toEqual(["   1. a\\r", "b\\u{1b}[2J", "Step 7 of 1000."]);
  expect(talk.told.slice(3)).toEqual(["event name", "remark There is no command dance."]);
  await talk.simulation.run(talk.conversation.leave());
  expect(talk.device.isJson).toBe(false);
});

test("a board that is left while it is still asked is told so, as it may hear both later", async () => {
  const talk = new Talk();
  await talk.simulation.run(talk.conversation.leave());
  await talk.wait(100);
  expect(talk.device.done).toEqual(["set log json", "set log text"]);
  expect(talk.device.isJson).toBe(false);
});

test("a board that was restarted is asked again, and that is remarked", async () => {
  const talk = new Talk();
  await talk.wait(100);
  talk.device.restart();
  for (const line of ["rst:0x1 (POWERON_RESET)", "=== esp32gpt: microgpt in TypeScript on ESP32 ==="])
    talk.onEvent(`${line}\r\n`);
  await talk.wait(900);
  expect(talk.device.isJson).toBe(false);
  await talk.wait(300);
  expect(talk.device.isJson).toBe(true);
  expect(talk.told.slice(3)).toEqual([
    "remark The board has restarted.",
    "protocol undefined",
    "state training",
    "protocol true",
  ]);
});

const VERSION = 'Version 1.2.3 "goldcrest"; free heap: 127300 bytes, 110592 of them in one piece; reset by: ';
const BANNER = "=== esp32gpt: microgpt in TypeScript on ESP32 ===";

test.each([
  [[`${VERSION}panic`, BANNER], "reset by: panic"],
  [
    [`${VERSION}panic`, "Before the reset: training, after 512 steps; LoadProhibited at 0x400d1234 on core 0.", BANNER],
    "reset by: panic; before the reset: training, after 512 steps; LoadProhibited at 0x400d1234 on core 0",
  ],
  [["Restarting: memory full", `${VERSION}software`, BANNER], "memory full; reset by: software"],
  [[`\u0001\u0000${VERSION}brown\x1b[2Jout`], "reset by: brown\\u{1b}[2Jout"],
])("whoever waits for a board learns that it restarted, and why: %j", async (lines, why) => {
  const talk = new Talk();
  await talk.wait(100);
  const before = talk.told.length;
  talk.device.file = fileOf(50_000);
  const fetching = talk.conversation.client.fetch(() => undefined);
  talk.simulation.after(20, () => {
    talk.device.restart();
    for (const line of lines) talk.onEvent(`${line}\r\n`);
  });
  const clock = talk.simulation.link(() => undefined);
  const started = clock.now();
  await expect(talk.simulation.run(fetching)).rejects.toThrow(`The board has restarted (${why}).`);
  expect(clock.now() - started).toBeLessThan(500);
  await talk.wait(3000);
  expect(talk.told.slice(before)).toEqual([
    `remark The board has restarted (${why}).`,
    "protocol undefined",
    "state training",
    "protocol true",
  ]);
  // And it can be asked again.
  await expect(talk.simulation.run(talk.conversation.client.fetch(() => undefined))).resolves.toHaveLength(50_000);
});

test("a board that starts while it is asked for the protocol is no accident; one that then is silent is told of both", async () => {
  const talk = new Talk({ protocol: undefined });
  for (const line of [`${VERSION}panic`, "Before the reset: saving, after 30 steps.", BANNER])
    talk.onEvent(`${line}\r\n`);
  await talk.wait(60_000);
  expect(talk.told.at(-1)).toMatch(
    /^remark The board has restarted \(reset by: panic; before the reset: saving, after 30 steps\)\. The board does not answer: .*/,
  );
  const other = new Talk();
  for (const line of [`${VERSION}power on`, BANNER]) other.onEvent(`${line}\r\n`);
  await other.wait(3000);
  expect(other.told).toEqual(["protocol undefined", "state training", "protocol true"]);
});

test("a board of another version is shown as text, until another one starts there", async () => {
  const talk = new Talk({ protocol: 2 });
  await talk.wait(100);
  expect(talk.told.at(-2)).toBe("protocol false");
  expect(talk.told.at(-1)).toMatch(/^remark The board uses version 2 .* shown as text/);
  expect(talk.device.isJson).toBe(false);
  talk.conversation.type("status");
  await talk.wait(100);
  talk.onEvent("what it says without an end");
  await talk.wait(500);
  expect(talk.said).toEqual(["Step 7 of 1000.", "what it says without an end"]);
  const before = talk.told.length;
  talk.onEvent("=== esp32gpt: microgpt in TypeScript on ESP32 ===\r\n");
  await talk.wait(100);
  expect(talk.told.slice(before)).toEqual(["protocol undefined", "state training", "protocol false"]);
});

test("when the board is gone, whoever carries a file gets the reason, and nobody else is told", async () => {
  const talk = new Talk();
  await talk.wait(100);
  const before = talk.told.length;
  const fetching = talk.conversation.client.fetch(() => undefined);
  talk.conversation.type("status");
  talk.simulation.after(20, () => talk.conversation.end(new Error("it is gone")));
  await expect(talk.simulation.run(fetching)).rejects.toThrow("it is gone");
  await talk.wait(5000);
  expect(talk.told.slice(before)).toEqual([]);
});

test("one that is gone before it has answered is not called silent", async () => {
  const talk = new Talk({ protocol: undefined });
  talk.conversation.end(new Error("it is gone"));
  await talk.wait(30_000);
  expect(talk.told).toEqual(["protocol undefined"]);
});

test("a debug build is told, and shown as text", async () => {
  const talk = new Talk({ protocol: undefined });
  talk.onEvent('<?xs.3FFB1234?>\r\n<xsbug><login name="esp32gpt" value="XS"/></xsbug>\r\nready\r\n');
  await talk.wait(30_000);
  expect(talk.told).toEqual(["protocol undefined", "protocol false", "found xsbug"]);
  expect(talk.said).toContain("ready");
  expect(talk.said.join()).not.toContain("login");
});

test("a line that is too long is cut, whether it comes in one piece or never ends", async () => {
  const talk = new Talk({ protocol: undefined });
  await talk.wait(100);
  talk.onEvent(`${"x".repeat(10_000)}\nend\n`);
  talk.onEvent("y".repeat(5000));
  await talk.wait(500);
  const lengths = talk.said.filter((line) => /^(x+|y+|end)$/.test(line)).map((line) => line.length);
  expect(lengths).toEqual([4096, 4096, 1808, 3, 4096, 904]);
});

test("what is typed goes to a board as a command of the protocol, to one without it as it is", async () => {
  const talk = new Talk();
  await talk.wait(100);
  talk.conversation.type(" status ");
  await talk.wait(100);
  expect(talk.device.done.at(-1)).toBe("status");
  const other = new Talk({ protocol: 2 });
  await other.wait(100);
  other.conversation.type(" status ");
  expect(other.sent.at(-1)).toBe(" status ");
});

test("whoever wants to know why a board does not answer is told that, in place of a remark", async () => {
  const reasons: string[] = [];
  const talk = new Talk({ protocol: 2 }, ({ message }) => reasons.push(message));
  await talk.wait(100);
  expect(reasons).toEqual(["The board uses version 2 of the device protocol, this program version 1."]);
  expect(talk.told.filter((told) => told.startsWith("remark"))).toEqual([]);
});

test("whoever typed a command that a restart ended is told of the restart, once", async () => {
  const talk = new Talk();
  await talk.wait(100);
  const before = talk.told.length;
  talk.conversation.type("status");
  talk.device.restart();
  talk.conversation.take(`${VERSION}panic\r\n${BANNER}\r\n`);
  await talk.wait(100);
  expect(talk.told.slice(before)).toEqual(["remark The board has restarted (reset by: panic)."]);
});

test("a line without an end is shown after a while, and as it is: unless it is one for programs", async () => {
  const talk = new Talk();
  await talk.wait(100);
  talk.onEvent("a\rb {");
  await talk.wait(250);
  expect(talk.said).toEqual([]);
  await talk.wait(100);
  expect(talk.said).toEqual(["a\\rb {"]);
  talk.onEvent('{"n":');
  await talk.wait(900);
  expect(talk.said).toHaveLength(1);
});

test("at the end of a connection the line without an end is shown, and what could have been for the debugger", async () => {
  const talk = new Talk();
  await talk.wait(100);
  talk.onEvent("1 <xsbu");
  await talk.wait(10);
  talk.conversation.end(new Error("it is gone"));
  expect(talk.said).toEqual(["1 <xsbu"]);
});
