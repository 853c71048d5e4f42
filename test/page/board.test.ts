import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import type { Locator, Page } from "playwright-core";
import { esp32gpt, temporaryFolder } from "../support/cli";
import { TcpFarSide } from "../support/far-side";
import { describeInBrowser, expectSoon, PageInBrowser } from "../support/page";
import { SerialStandIn } from "../support/serial-stand-in";
import { SimulatedBoard, SMALL } from "../support/simulator";

/* The page's board pane in a browser, with the device simulator behind a serial port that carries bytes. */

const at = temporaryFolder();

describeInBrowser("the board pane", () => {
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

  async function open(port = board.port): Promise<void> {
    serial = await SerialStandIn.attach(page, new TcpFarSide(port));
    await page.goto(`${web.server.address}index.html#board`);
  }

  async function connect(port?: number): Promise<void> {
    await open(port);
    await press("Connect my board");
    await connection("Connected.").waitFor();
  }

  const press = (name: string): Promise<void> => page.getByRole("button", { name, exact: true }).click();
  const connection = (text: string | RegExp): Locator => page.getByRole("status").filter({ hasText: text });
  const log = (): Locator => page.getByRole("log");
  const said = (text: string | RegExp): Locator => log().locator("div").filter({ hasText: text });
  const alert = (text: string | RegExp): Locator => page.getByRole("alert").filter({ hasText: text });
  const stored = (): Buffer => readFileSync(at("stored/checkpoint.safetensors"));

  async function type(line: string): Promise<void> {
    await page.getByLabel("A line to the board").fill(line);
    await page.keyboard.press("Enter");
  }

  async function fetched(): Promise<Buffer> {
    const downloading = page.waitForEvent("download");
    await press("Fetch its checkpoint");
    const download = await downloading;
    expect(download.suggestedFilename()).toMatch(/^esp32gpt-\d+-steps\.safetensors$/);
    return readFileSync(await download.path());
  }

  /** A checkpoint that the board takes. */
  async function checkpoint(): Promise<string> {
    const options = "train --steps 20 --samples 0 --n-embd 4 --n-head 1 --save".split(" ");
    expect((await esp32gpt(...options, at("model.safetensors"))).stderr).toBe("");
    return at("model.safetensors");
  }

  const send = (file: string): Promise<void> => page.getByLabel("Send a checkpoint from disk").setInputFiles(file);

  test("connects, shows how the training stands, and leaves the board to people", async () => {
    await connect();
    const state = page.locator(".state");
    await state.filter({ hasText: /training.*step [\d,]+ of 1,000,000,000.*loss \d\.\d{4}/ }).waitFor();
    const before = await state.textContent();
    await state.filter({ hasNotText: before ?? "" }).waitFor();
    await press("Disconnect");
    await connection("No board is connected.").waitFor();
    expect(serial.heard.trimEnd().split("\n").at(-1)).toMatch(/^@\d+ [0-9a-f]{8} set log text$/);
    const [, id] = /@(\d+) \S+ set log text\n$/.exec(serial.heard) ?? [];
    expect(serial.said).toContain(`"type":"ack","id":${id},"ok":true`);
    await press("Connect my board");
    await connection("Connected.").waitFor();
  });

  test("draws the losses that the board tells", async () => {
    await open();
    const drawn = (): Promise<number> => page.evaluate<number>(COUNT_DRAWN);
    expect(await page.locator(".board .chart").count()).toBe(0);
    await press("Connect my board");
    await connection("Connected.").waitFor();
    await type("set log_every 100");
    await expectSoon(async () => (await drawn()) > 100);
    await type("set log_every 1000000");
  });

  test("gives commands by buttons and by lines, with a history", async () => {
    await connect();
    await press("Pause");
    await page.locator(".state").filter({ hasText: "paused" }).waitFor();
    await page.getByLabel("How many").fill("3");
    await page.getByLabel("Begins with").fill("b");
    await press("Write words");
    const names = page.getByRole("list").getByRole("listitem");
    await names.nth(2).waitFor();
    for (const name of await names.allTextContents()) expect(name).toMatch(/^b/);
    await type("status");
    await said(/^Step \d+ of \d+, loss .*paused\.$/).waitFor();
    await type("dance");
    await alert("There is no command dance").waitFor();
    const line = page.getByLabel("A line to the board");
    await line.press("ArrowUp");
    await line.press("ArrowUp");
    expect(await line.inputValue()).toBe("status");
    await line.press("ArrowDown");
    expect(await line.inputValue()).toBe("dance");
    await press("Resume");
    await page.locator(".state").filter({ hasText: "training" }).waitFor();
  });

  test("asks before the training is forgotten", async () => {
    await connect();
    await press("Reset training…");
    await press("Keep it");
    expect(serial.heard).not.toContain(" reset\n");
    await press("Reset training…");
    await press("Forget it all");
    await said("> reset").waitFor();
    await expectSoon(() => serial.heard.includes(" reset\n"));
  });

  test("teaches words, and says which are refused and why", async () => {
    await connect();
    const words = page.getByLabel(/^Words, one per line/);
    await words.fill("zephyrine\r\n\n  quillan \nzephyrine\n");
    await press("Teach");
    await said("2 of 2 words were taken.").waitFor();
    expect(await words.inputValue()).toBe("");
    await type("words");
    await said("1. zephyrine").waitFor();
    await said("2. quillan").waitFor();
    await words.fill("quillan\nNo-Word\nwrenna");
    await press("Teach");
    await alert(/1 of 3 words were taken\. quillan: .*already.*No-Word: /).waitFor();
    await words.fill(Array.from({ length: 300 }, (_, i) => `longword${"abcdefghij"[i % 10].repeat(3)}${i}`).join("\n"));
    await press("Teach");
    await alert(/^0 of 300 words were taken\..* And 297 more\.$/).waitFor();
  });

  test("of which the cable is pulled while words are taught says how many were, and takes the others later", async () => {
    await connect();
    const words = ["alderic", "brunella", "corvina", "dulcimer", "evander"];
    await page.getByLabel(/^Words, one per line/).fill(words.join("\n"));
    serial.carried = () => serial.heard.includes(" add corvina\n") && serial.pull();
    await press("Teach");
    await connection("The board is gone.").waitFor();
    await alert(/^2 of 5 words were taken\. The board is gone/).waitFor();
    serial.carried = () => undefined;
    serial.plug();
    await connection("Connected.").waitFor();
    // What was to be taught is still there.
    await press("Teach");
    await alert(/^[23] of 5 words were taken\. alderic: .*already/).waitFor();
    await type("words");
    for (const word of words) await said(new RegExp(`^ *\\d+\\. ${word}\\b`)).waitFor();
  });

  test("fetches the checkpoint that the board has", async () => {
    await connect();
    const bytes = await fetched();
    expect(bytes.equals(stored())).toBe(true);
    await said(/^Fetched \d+ bytes, after \d+ steps\.$/).waitFor();
  });

  test("sends a checkpoint, and nothing that is none", async () => {
    await connect();
    await fetched();
    const before = stored();
    writeFileSync(at("<img src=x onerror=alert(1)>.safetensors"), "no checkpoint");
    await send(at("<img src=x onerror=alert(1)>.safetensors"));
    await alert(/^<img src=x onerror=alert\(1\)>\.safetensors is not a sound safetensors file/).waitFor();
    await esp32gpt(..."train --steps 1 --samples 0 --n-embd 8 --save".split(" "), at("large.safetensors"));
    await send(at("large.safetensors"));
    await alert(/n_embd 8, not 4/).waitFor();
    expect(stored().equals(before)).toBe(true);
    await send(await checkpoint());
    await said(/^Sent \d+ bytes, after 20 steps\.$/).waitFor();
    await type("status");
    await said(/^Step 20 of 20/).waitFor();
    await type("train 1000000000");
    await page.locator(".state").filter({ hasText: "training" }).waitFor();
  });

  test("gets the model that was trained in the page", async () => {
    serial = await SerialStandIn.attach(page, new TcpFarSide(board.port));
    await page.goto(`${web.server.address}?list=names&n_embd=4&n_head=1&steps=50&speed=max`);
    await press("Train");
    await page.getByRole("button", { name: "Train again" }).waitFor();
    const downloading = page.waitForEvent("download");
    await press("Download");
    const trained = readFileSync(await (await downloading).path());
    await page.getByRole("link", { name: "Your board" }).click();
    await press("Connect my board");
    await connection("Connected.").waitFor();
    await press("Send the model trained here");
    await said(/^Sent \d+ bytes, after 50 steps\.$/).waitFor();
    expect(tensorsOf(stored()).equals(tensorsOf(trained))).toBe(true);
    await type("status");
    await said(/^Step 50 of 50/).waitFor();
    await type("train 1000000000");
    await page.locator(".state").filter({ hasText: "training" }).waitFor();
  });

  test("ends a transfer that is cancelled, and the board is told", async () => {
    await connect();
    serial.carried = () => serial.said.includes('"type":"chunk"') && serial.hold();
    await press("Fetch its checkpoint");
    await press("Cancel");
    await alert("It was cancelled.").waitFor();
    serial.carried = () => undefined;
    serial.letGo();
    expect((await fetched()).equals(stored())).toBe(true);
    expect(serial.heard).toMatch(/ fetched\n.* fetch\n/s);
  });

  test("of which the cable is pulled in the middle of a fetch says so, and fetches when it is in again", async () => {
    await connect();
    serial.carried = () => serial.said.includes('"type":"chunk"') && serial.pull();
    await press("Fetch its checkpoint");
    await connection("The board is gone.").waitFor();
    await alert("The board is gone").waitFor();
    expect(await page.getByRole("progressbar").count()).toBe(0);
    await type("status");
    await alert("has not been sent").waitFor();
    serial.carried = () => undefined;
    serial.plug();
    await connection("Connected.").waitFor();
    expect((await fetched()).equals(stored())).toBe(true);
  });

  test("of which the cable is pulled in the middle of sending keeps what it has, and takes it afterwards", async () => {
    const file = await checkpoint();
    await connect();
    await fetched();
    const before = stored();
    serial.carried = () => /"next":[1-9]\d\d\d/.test(serial.said) && serial.pull();
    await send(file);
    await connection("The board is gone.").waitFor();
    expect(stored().equals(before)).toBe(true);
    serial.carried = () => undefined;
    serial.plug();
    await connection("Connected.").waitFor();
    await send(file);
    await said(/^Sent \d+ bytes, after 20 steps\.$/).waitFor();
    await type("train 1000000000");
    await page.locator(".state").filter({ hasText: "training" }).waitFor();
  });

  test("hears a board again that was restarted", async () => {
    await connect();
    await press("Restart the board");
    await expectSoon(() => serial.signals.length === 2);
    expect(serial.signals).toEqual([
      { dataTerminalReady: false, requestToSend: true },
      { dataTerminalReady: false, requestToSend: false },
    ]);
    const hellos = (): number => serial.said.split('"type":"hello"').length;
    const before = hellos();
    await type("reboot");
    await said("=== esp32gpt").waitFor();
    await expectSoon(() => hellos() > before);
    await connection("Connected.").waitFor();
    expect((await fetched()).equals(stored())).toBe(true);
  });

  test("leaves a board to people when the page is left", async () => {
    await connect();
    await page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide'))");
    await expectSoon(() => serial.heard.endsWith("set log text\n"));
  });

  test("shows what a hostile board says as text, and no more of it than there is room for", async () => {
    const evil = "\x1b[2J<img src=x onerror='document.title=\"owned\"'><script>alert(1)</script>\u202e\x07";
    const flood = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.write(`${evil}\r\n`);
      for (let i = 0; i < 2000; i++) socket.write(`line ${i}\r\n`);
      socket.write("x".repeat(1 << 20));
      socket.write(`\r\n${evil}\r\nthe end\r\n`);
    });
    flood.listen(0, "127.0.0.1");
    await once(flood, "listening");
    try {
      await open((flood.address() as AddressInfo).port);
      await press("Connect my board");
      await said("the end").waitFor();
      const shown = await log().locator("div").allTextContents();
      expect(shown.length).toBeLessThanOrEqual(500);
      expect(Math.max(...shown.map((line) => line.length))).toBeLessThanOrEqual(4096);
      expect(shown).toContain(
        "\\u{1b}[2J<img src=x onerror='document.title=\"owned\"'><script>alert(1)</script>\\u{202e}\\u{7}",
      );
      expect(await log().locator("img, script").count()).toBe(0);
      expect(await page.title()).toBe("Your board · esp32gpt");
      await connection(
        /^Another program runs on it\. The board says something, but not what esp32gpt says\.$/,
      ).waitFor();
      expect(await alert(/./).count()).toBe(0);
    } finally {
      await page.close();
      flood.close();
    }
  });

  test("says what it takes where the browser has no Web Serial", async () => {
    await page.addInitScript("Object.defineProperty(navigator, 'serial', { value: undefined })");
    await page.goto(`${web.server.address}index.html#board`);
    await page.getByText("This browser has no Web Serial, which a board needs: use Chrome, Edge or Opera").waitFor();
    const board = page.locator("section.board");
    expect(await board.getByRole("button").count()).toBe(0);
    await board.getByText("npx esp32gpt monitor --simulate").waitFor();
    expect(await board.getByRole("link").allTextContents()).toEqual(["Train here", "Look inside"]);
    expect(await web.faults()).toEqual([]);
  });

  test("says so when no port is chosen, or it cannot be opened", async () => {
    await open();
    serial.pull();
    await press("Connect my board");
    await connection("No board is connected. No port was chosen. If your board is not in the list").waitFor();
    const nobody = createServer().listen(0, "127.0.0.1");
    await once(nobody, "listening");
    const { port } = nobody.address() as AddressInfo;
    nobody.close();
    serial.plug(new TcpFarSide(port));
    await press("Connect my board");
    await connection(
      "No board is connected. The port could not be opened: Failed to open serial port. Another program",
    ).waitFor();
  });
});

/** How many points of the board's chart have the colour of the smoothed losses. */
const COUNT_DRAWN = `{
  const chart = document.querySelector(".board .chart");
  const canvas = chart.querySelector("canvas");
  const context = canvas.getContext("2d");
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  context.save();
  context.fillStyle = getComputedStyle(chart).getPropertyValue("--accent").trim();
  const colour = Number.parseInt(context.fillStyle.slice(1), 16);
  context.restore();
  let count = 0;
  for (let i = 0; i < data.length; i += 4)
    if (((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]) === colour) count++;
  count;
}`;

/** What is behind the header of a safetensors file. */
function tensorsOf(file: Buffer): Buffer {
  return file.subarray(8 + Number(file.readBigUInt64LE()));
}
