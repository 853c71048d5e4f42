import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import type { Locator, Page } from "playwright-core";
import { temporaryFolder } from "../support/cli";
import { type FarSide, TcpFarSide } from "../support/far-side";
import { fullImage, listed } from "../support/full-image";
import { describeInBrowser, expectSoon, PageInBrowser } from "../support/page";
import { RomLoader } from "../support/rom-loader";
import { SerialStandIn } from "../support/serial-stand-in";
import { SimulatedBoard, SMALL } from "../support/simulator";

/* The two doors of the board pane, and every state of the link behind them. */

const at = temporaryFolder();

const IMAGE = fullImage({ chip: "esp32", application: Buffer.concat([randomBytes(20_000), Buffer.alloc(100_000)]) });
const LARGE = fullImage({ chip: "esp32", flash: "8mb", application: randomBytes(1_000) });
const C3 = fullImage({ chip: "esp32c3", application: randomBytes(1_000) });

/** What is said in one state of the link alone. */
const SAID: Readonly<Record<string, RegExp>> = {
  answers: /Connected\./,
  gone: /The board is gone/,
  silent: /Nothing is heard/,
  foreign: /Another program runs/,
};

/** A board that runs another program, or none. */
class OtherBoard implements FarSide {
  send: (bytes: Buffer) => void = () => undefined;

  /** @param said as soon as its port is opened */
  constructor(private readonly said: string | Buffer = "") {}

  open(): undefined {
    if (this.said.length > 0) setTimeout(() => this.say(this.said), 10);
  }

  say(text: string | Buffer): void {
    this.send(Buffer.from(text));
  }

  receive(): void {
    // It does not understand.
  }

  setSignals(): void {
    // It has no reset circuit.
  }

  close(): void {
    // It goes on.
  }
}

describeInBrowser("the two doors to a board", () => {
  const web = new PageInBrowser();
  let board: SimulatedBoard;
  let page: Page;
  let serial: SerialStandIn;

  beforeAll(async () => {
    mkdirSync(at("stored"), { recursive: true });
    board = await SimulatedBoard.start("--engine", "node", ...SMALL, "save_every=0", "--storage", at("stored"));
  });
  afterAll(() => board.stop());
  beforeEach(() => ({ page } = web));

  async function open(farSide: FarSide = new TcpFarSide(board.port)): Promise<void> {
    serial = await SerialStandIn.attach(page, farSide);
    await page.goto(`${web.server.address}index.html#board`);
    await pane("none").waitFor();
  }

  const pane = (kind: string): Locator => page.locator(`section.board[data-link="${kind}"]`);
  const button = (name: string): Locator => page.getByRole("button", { name, exact: true });
  const press = (name: string): Promise<void> => button(name).click();
  const connection = (): Locator => page.locator(".connection");

  async function connect(): Promise<void> {
    await press("Connect my board");
    await pane("answers").waitFor();
  }

  /** Looks at the state: its sentence and its mark, nothing else beside it, and that everybody can read it. */
  async function expectState(kind: string, tone: string, sentence: RegExp): Promise<void> {
    await pane(kind).waitFor();
    expect(await connection().innerText()).toMatch(sentence);
    expect(await connection().getAttribute("class")).toBe(`connection ${tone}`);
    const text = await page.locator("section.board > :not(:has(.console))").allInnerTexts();
    const contradictions = Object.entries(SAID).filter(
      ([other, said]) => other !== kind && text.some((part) => said.test(part)),
    );
    expect(contradictions).toEqual([]);
    expect(await page.locator(".board .good").count()).toBe(tone === "good" ? 1 : 0);
    expect(await page.getByRole("alert").allInnerTexts()).toEqual([]);
    await expectFit();
  }

  /** Nothing serious for axe-core, and nothing beyond the edge of a small screen. */
  async function expectFit(): Promise<void> {
    const size = page.viewportSize();
    await page.setViewportSize({ width: 320, height: 640 });
    // The chart takes the new width a moment later.
    await expectSoon(async () => (await page.evaluate<number>("document.documentElement.scrollWidth")) <= 320);
    expect(await web.faults()).toEqual([]);
    if (size) await page.setViewportSize(size);
  }

  /** What needs a board that answers. */
  async function expectNoWork(): Promise<void> {
    for (const part of ["Tell it what to do", "Teach it words of your own", "Its checkpoint", "Console", "Loss"])
      expect(await page.getByRole("heading", { name: part, exact: true }).count()).toBe(0);
    expect(await page.locator("section.board :disabled, section.board [aria-disabled=true]").count()).toBe(0);
    expect(await page.locator("section.board :is(input, textarea, select)").count()).toBe(0);
  }

  function publish(...images: readonly Buffer[]): void {
    const names = ["esp32-4mb", "esp32-8mb", "esp32c3-4mb"];
    const entries = images.map((image, i) => ({
      ...listed(image),
      file: `esp32gpt-${names[i] ?? ""}-full.bin`,
      name: ["ESP32, 4 MB", "ESP32, 8 MB", "ESP32-C3, 4 MB"][i],
      chip: i === 2 ? "esp32c3" : "esp32",
      flash: i === 1 ? "8mb" : "4mb",
    }));
    web.server.files.set("images/index.json", JSON.stringify({ images: entries }));
    for (const [i, { file }] of entries.entries()) web.server.files.set(`images/${file}`, images[i]);
  }

  test("before there is a board there are the doors, and nothing that cannot be used", async () => {
    await open();
    await page.getByRole("heading", { name: "I have a new board" }).waitFor();
    await page.getByRole("heading", { name: "My board runs esp32gpt" }).waitFor();
    await expectNoWork();
    expect(await connection().isVisible()).toBe(false);
    expect(await page.locator("section.board").getByRole("button").allTextContents()).toEqual([
      "Find my board",
      "Connect my board",
    ]);
    await expectFit();
  });

  test("a new board: its chip is found, its image proposed, flashed, and the console opens by itself", async () => {
    publish(IMAGE, LARGE, C3);
    const rom = new RomLoader({ application: new TcpFarSide(board.port) });
    await open(rom);
    await press("Find my board");
    await page.getByText("Your board has an ESP32 with 4 MB of flash.").waitFor();
    await page.getByText("The image: esp32gpt-esp32-4mb-full.bin, for ESP32, 4 MB of flash").waitFor();
    expect(await pane("flashing").count()).toBe(1);
    expect(await button("Connect my board").count()).toBe(0);
    await expectState("flashing", "busy", /^The port is kept for flashing\./);
    // Only what suits the board is offered.
    await page.getByText("Another image, or a fresh start").click();
    expect(await page.getByRole("radio").count()).toBe(1);
    await expectFit();
    const { starts } = rom;
    await press("Flash");
    await page.getByText("The board is flashed and restarts. It begins without a checkpoint.").waitFor();
    expect(rom.flash.subarray(0, IMAGE.length).equals(IMAGE)).toBe(true);
    expect(rom.starts).toBe(starts + 1);
    await expectState("answers", "good", /^Connected\./);
    await page.getByLabel("A line to the board").fill("status");
    await page.keyboard.press("Enter");
    await page
      .getByRole("log")
      .locator("div")
      .filter({ hasText: /^Step \d+ of 1000000000/ })
      .waitFor();
    // What became of the flashing is told until something else is so.
    serial.pull();
    await expectState("gone", "bad", /^The board is gone\./);
    expect(await page.locator(".flash-message").isVisible()).toBe(false);
  });

  test("a board with a larger flash is proposed the image for it", async () => {
    publish(IMAGE, LARGE, C3);
    await open(new RomLoader({ flashSize: 8 << 20 }));
    await press("Find my board");
    await page.getByText("The image: esp32gpt-esp32-8mb-full.bin").waitFor();
    await page.getByText("Another image, or a fresh start").click();
    expect(await page.getByRole("radio").count()).toBe(2);
  });

  test("a board with esp32gpt: connect, commands, and the doors again after it was left", async () => {
    await open();
    await press("Connect my board");
    await expectState("answers", "good", /^Connected\. The board runs esp32gpt and answers\.$/);
    await press("Status");
    await page
      .getByRole("log")
      .locator("div")
      .filter({ hasText: /^Step \d+/ })
      .first()
      .waitFor();
    await press("Disconnect");
    await expectState("none", "quiet", /^No board is connected\. You have disconnected it/);
    await expectNoWork();
    await button("Find my board").waitFor();
    await page.reload();
    await button("Connect my board").waitFor();
    expect(await connection().isVisible()).toBe(false);
  });

  test("a reload takes the port up again without a click", async () => {
    await open();
    await connect();
    const opened = serial.speeds.length;
    await page.reload();
    await expectState("answers", "good", /^Connected\./);
    expect(serial.speeds.length).toBeGreaterThan(opened);
  });

  test("after a reload without the board the doors are there, and it is said quietly", async () => {
    await open();
    await connect();
    serial.pull();
    await pane("gone").waitFor();
    await page.reload();
    await expectState(
      "none",
      "quiet",
      /^No board is connected\. The board of before could not be connected again\. It is not plugged in\.$/,
    );
    await expectNoWork();
    // It is said once.
    await page.reload();
    await button("Connect my board").waitFor();
    expect(await connection().isVisible()).toBe(false);
  });

  test("a silent board is told as such, and heard as soon as it speaks", async () => {
    const silent = new OtherBoard();
    await open(silent);
    await press("Connect my board");
    await expectState("silent", "bad", /^Nothing is heard\. The port is open, but the board says nothing\.$/);
    await expectNoWork();
    await page.getByText("Try another cable: many only charge").waitFor();
    await page.getByText("Press the board’s reset button").waitFor();
    await press("Ask again");
    await expectState("connecting", "busy", /^Connecting …/);
    await pane("silent").waitFor();
    silent.say("Hello from a blinking light\r\n");
    await expectState("foreign", "bad", /^Another program runs on it\./);
  });

  test.each<[string, string | Buffer, RegExp, RegExp | undefined]>([
    ["another program", "Hello\r\nblink 1\r\n", /^Another program runs on it\./, /blink 1/],
    ["another speed", Buffer.alloc(400, 0xfe), /^What it says is hardly text\./, undefined],
    [
      "an empty flash",
      "ets Jul 29 2019 12:21:46\r\n\r\nrst:0x10 (RTCWDT_RTC_RESET),boot:0x13\r\ninvalid header: 0xffffffff\r\n",
      /^The board is empty\./,
      /invalid header/,
    ],
    ["the download mode", "waiting for download\r\n", /^The board waits to be flashed\./, /waiting for download/],
    ["a debug build", '<?xs.0?>\r\n<xsbug><login name="x"/></xsbug>\r\n', /^This is a debug build\./, undefined],
  ])("a board with %s is told as such, and flashing is offered", async (_name, said, sentence, shown) => {
    publish(IMAGE);
    const rom = new RomLoader({ application: new OtherBoard(said) });
    await open(rom);
    await press("Connect my board");
    await expectState("foreign", "bad", sentence);
    await expectNoWork();
    if (shown) await page.getByRole("log").locator("div").filter({ hasText: shown }).first().waitFor();
    // On the same port: it is not asked for again.
    await press("Flash esp32gpt");
    await page.getByText("Your board has an ESP32").waitFor();
    await press("Back");
    await expectState("foreign", "bad", sentence);
  });

  test("a board that is unplugged is gone, and comes back with all that was there", async () => {
    await open();
    await connect();
    await page.getByLabel(/^Words, one per line/).fill("zephyrine");
    for (let i = 0; i < 2; i++) {
      serial.pull();
      await expectState("gone", "bad", /^The board is gone\. It is connected again when it is plugged in/);
      expect(await page.getByRole("button", { name: "Pause" }).count()).toBe(0);
      serial.plug();
      await expectState("answers", "good", /^Connected\./);
    }
    expect(await page.getByLabel(/^Words, one per line/).inputValue()).toBe("zephyrine");
    serial.pull();
    await press("Do not wait");
    await expectState("none", "quiet", /^No board is connected\./);
    serial.plug();
    await expectSoon(async () => (await pane("none").count()) === 1);
    await expectNoWork();
  });

  test("a transfer that a pulled cable has ended says so only while the board is gone", async () => {
    await open();
    await connect();
    serial.carried = () => serial.said.includes('"type":"chunk"') && serial.pull();
    await press("Fetch its checkpoint");
    await page.getByRole("alert").filter({ hasText: "The board is gone" }).waitFor();
    serial.carried = () => undefined;
    serial.plug();
    await expectState("answers", "good", /^Connected\./);
  });

  test("a choice that is given up leaves all as it was; a browser that refuses is quoted", async () => {
    await open();
    serial.pull();
    await press("Find my board");
    await expectState(
      "none",
      "quiet",
      /^No board is connected\. No port was chosen\. If your board is not in the list/,
    );
    await expectNoWork();
    await page.evaluate(
      "navigator.serial.requestPort = () => Promise.reject(new DOMException('Access is denied by policy.', 'SecurityError'))",
    );
    for (const name of ["Connect my board", "Find my board"]) {
      await press(name);
      await expectState(
        "none",
        "quiet",
        /^No board is connected\. The browser offers no port: Access is denied by policy\.$/,
      );
    }
  });

  test("another port that is not chosen leaves the connected board", async () => {
    await open();
    await connect();
    await page.evaluate(
      "navigator.serial.requestPort = () => Promise.reject(new DOMException('No port selected by the user.', 'NotFoundError'))",
    );
    await press("Connect another board");
    await expectState("answers", "good", /^Connected\./);
  });

  test("all of it by keyboard", async () => {
    publish(IMAGE);
    await open(new RomLoader({ application: new TcpFarSide(board.port) }));
    await button("Find my board").focus();
    await page.keyboard.press("Enter");
    // The focus follows to what has taken the doors' place.
    await expectSoon(
      async () => (await page.evaluate("document.activeElement.textContent")) === "Put esp32gpt on a board",
    );
    await button("Flash").waitFor();
    for (let i = 0; i < 2 && (await page.evaluate("document.activeElement.textContent")) !== "Flash"; i++)
      await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await pane("answers").waitFor();
  });
});
