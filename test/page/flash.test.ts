import { readdirSync, readFileSync } from "node:fs";
// The page flashes a board: the built page, esptool-js and all, before a stand-in for a chip's ROM loader.
import { randomBytes } from "node:crypto";
import type { Locator, Page } from "playwright-core";
import { TcpFarSide } from "../support/far-side";
import { fullImage, listed } from "../support/full-image";
import { describeInBrowser, expectSoon, PageInBrowser } from "../support/page";
import { RomLoader, type RomLoaderOptions } from "../support/rom-loader";
import { SerialStandIn } from "../support/serial-stand-in";
import { SimulatedBoard, SMALL } from "../support/simulator";

const STORAGE_AT = 0x300000;

const CHECKPOINT = randomBytes(5_000);
/** Part of it packs well, as in a real one, and part does not. */
const IMAGE = fullImage({ chip: "esp32", application: Buffer.concat([randomBytes(150_000), Buffer.alloc(300_000)]) });

const ENTRY = listed(IMAGE);

describeInBrowser("the part that flashes", () => {
  const web = new PageInBrowser();
  let page: Page;
  let serial: SerialStandIn;
  let rom: RomLoader;

  beforeEach(() => {
    ({ page } = web);
    publish({ images: [] });
  });

  /** A board with some application, its partition table, and a file system with something in it. */
  async function openPage(options: RomLoaderOptions = {}): Promise<void> {
    rom = new RomLoader(options);
    const old = fullImage({ chip: options.chip ?? "esp32", application: randomBytes(20_000) });
    rom.flash.set(old, 0);
    rom.flash.set(CHECKPOINT, STORAGE_AT);
    serial = await SerialStandIn.attach(page, rom);
    await page.goto(`${web.server.address}#board`);
  }

  /** What flashes, in the board's pane. */
  const part = (): Locator => page.locator("section.flash");

  const message = (): Locator => page.locator(".flash-message");

  async function expectStatus(text: RegExp): Promise<void> {
    await message().filter({ hasText: text }).waitFor();
  }

  const findButton = (): Locator => page.getByRole("button", { name: "Find my board", exact: true });

  /** From the door to the board that is found. */
  async function find(what = "ESP32 with 4 MB"): Promise<void> {
    await findButton().click();
    await part().getByText(`Your board has an ${what} of flash.`).waitFor();
  }

  const openChoices = (): Promise<void> => part().getByText("Another image, or a fresh start").click();

  async function choose(bytes: Buffer, name = "esp32gpt-full.bin"): Promise<void> {
    await part()
      .locator("input[type=file]")
      .setInputFiles({ name, mimeType: "application/octet-stream", buffer: bytes });
  }

  const flashButton = (): Locator => part().getByRole("button", { name: "Flash", exact: true });

  const connection = (text: string): Locator => page.locator(".connection").filter({ hasText: text });
  const said = (text: string | RegExp): Locator => page.getByRole("log").locator("div").filter({ hasText: text });

  const scriptsAskedFor = (): string[] => [...new Set(web.server.requests.filter((path) => path.endsWith(".js")))];

  function flashOf(image: Buffer): Buffer {
    return rom.flash.subarray(0, image.length);
  }

  test("an image from disk is written at 0; the board's checkpoint stays; the library comes when it is needed", async () => {
    await openPage();
    await findButton().waitFor();
    const scripts = scriptsAskedFor();
    expect(scripts.length).toBeGreaterThan(0);
    for (const path of scripts)
      expect(await (await page.request.get(web.server.address + path)).text()).not.toMatch(
        /Uploading stub|Could not auto-detect/,
      );
    await find();
    expect(scriptsAskedFor().length).toBeGreaterThan(scripts.length);
    await choose(IMAGE);
    await page.getByText("The board’s own checkpoint survives").waitFor();
    expect(await page.getByText("ESP32, 4 MB of flash, version 1.2.3").count()).toBe(1);
    const { starts } = rom;
    await flashButton().press("Enter");
    await expectStatus(/flashed and restarts. Its checkpoint has been left/);
    expect(flashOf(IMAGE).equals(IMAGE)).toBe(true);
    expect(rom.flash.subarray(STORAGE_AT, STORAGE_AT + CHECKPOINT.length)).toEqual(CHECKPOINT);
    // The last time for the console.
    await expectSoon(() => serial.speeds.length >= 3);
    expect(serial.speeds.slice(0, 3)).toEqual([115_200, 460_800, 115_200]);
    await expectSoon(() => rom.starts > starts);
    expect(rom.log).toContain("flashMd5");
  });

  test("the port is borrowed from the console, which takes the board up again", async () => {
    const board = await SimulatedBoard.start("--engine", "node", ...SMALL);
    try {
      await openPage({ application: new TcpFarSide(board.port) });
      await page.getByRole("button", { name: "Connect my board", exact: true }).click();
      await connection("Connected.").waitFor();
      await page.getByRole("button", { name: "Flash another image" }).click();
      await part().getByText("Your board has an ESP32").waitFor();
      await choose(IMAGE);
      await flashButton().click();
      await expectStatus(/is flashed/);
      expect(flashOf(IMAGE).equals(IMAGE)).toBe(true);
      await said("Connected.").nth(1).waitFor();
      await connection("Connected.").waitFor();
      await page.getByLabel("A line to the board").fill("status");
      await page.keyboard.press("Enter");
      await said(/^Step \d+ of 1000000000/).waitFor();
      expect(serial.speeds).toEqual([115_200, 115_200, 460_800, 115_200]);
    } finally {
      await page.close();
      await board.stop();
    }
  });

  test("everything is erased first, when that is wanted", async () => {
    await openPage();
    await find();
    await choose(IMAGE);
    await page.getByLabel("Erase everything first").check();
    await page.getByText("own checkpoint will be lost").waitFor();
    await flashButton().click();
    await expectStatus(/flashed and restarts. It begins without a checkpoint/);
    expect(flashOf(IMAGE).equals(IMAGE)).toBe(true);
    expect(rom.flash.subarray(IMAGE.length).every((byte) => byte === 0xff)).toBe(true);
  });

  test("a board whose file system lay elsewhere begins without a checkpoint", async () => {
    await openPage();
    rom.flash.fill(0xff, 0x8000, 0x9000);
    await find();
    await choose(IMAGE);
    await flashButton().click();
    await expectStatus(/It begins without a checkpoint/);
  });

  test("an image that covers the file system says so", async () => {
    await openPage();
    await find();
    await choose(Buffer.concat([IMAGE, Buffer.alloc(STORAGE_AT - IMAGE.length + 1)]));
    await page.getByText("covers the board’s file system").waitFor();
  });

  test("an image for another chip, or a larger flash, is refused before anything is written", async () => {
    await openPage({ chip: "esp32c3" });
    const before = Buffer.from(rom.flash);
    await find("ESP32-C3 with 4 MB");
    await choose(IMAGE);
    await part().getByText("The board has an ESP32-C3, and the image is for an ESP32: choose another image.").waitFor();
    expect(await flashButton().count()).toBe(0);
    await choose(fullImage({ chip: "esp32c3", flash: "8mb", application: randomBytes(1_000) }));
    await part().getByText("The board has 4MB of flash, and the image is for 8MB: choose another image.").waitFor();
    expect(await flashButton().count()).toBe(0);
    expect(rom.flash.equals(before)).toBe(true);
    // And it runs again.
    await choose(fullImage({ chip: "esp32c3", application: randomBytes(1_000) }));
    await flashButton().click();
    await expectStatus(/is flashed/);
  });

  test("a board that takes the place of the one that was found is looked at anew", async () => {
    await openPage();
    await find();
    await choose(IMAGE);
    const other = new RomLoader({ chip: "esp32c3" });
    const before = Buffer.from(other.flash);
    serial.pull();
    await expectStatus(/The cable was pulled before anything was written: plug it in and try again/);
    expect(await flashButton().count()).toBe(0);
    serial.plug(other);
    await find("ESP32-C3 with 4 MB");
    await part().getByText("The board has an ESP32-C3, and the image is for an ESP32: choose another image.").waitFor();
    expect(await flashButton().count()).toBe(0);
    expect(other.flash.equals(before)).toBe(true);
  });

  test("a board that was found and is not flashed restarts", async () => {
    await openPage();
    await find();
    const { starts } = rom;
    await part().getByRole("button", { name: "Back" }).click();
    await findButton().waitFor();
    await page.getByRole("button", { name: "Connect my board" }).waitFor();
    await expectSoon(() => rom.starts === starts + 1);
    expect(await message().textContent()).toBe("");
  });

  test("a cable that is pulled while the image is written is told, and a second attempt writes it", async () => {
    await openPage();
    await find();
    await choose(IMAGE);
    rom.onBlock = (sequence) => {
      if (sequence === 3) serial.pull();
    };
    await flashButton().click();
    await expectStatus(/connection was lost while the image was written.*flash it again.*not damaged/);
    expect(flashOf(IMAGE).equals(IMAGE)).toBe(false);
    rom.onBlock = () => undefined;
    await findButton().click();
    await expectStatus(/The port cannot be used/);
    rom.boot(false);
    serial.plug();
    await find();
    await flashButton().click();
    await expectStatus(/is flashed/);
    expect(flashOf(IMAGE).equals(IMAGE)).toBe(true);
    expect(rom.flash.subarray(STORAGE_AT, STORAGE_AT + CHECKPOINT.length)).toEqual(CHECKPOINT);
  });

  test("a board that does not answer: what to do, and it may be cancelled; then the buttons are pressed", async () => {
    await openPage({ hasAutoReset: false });
    const before = Buffer.from(rom.flash);
    await findButton().click();
    await expectStatus(/does not answer: hold its BOOT button, press EN/);
    await findButton().click();
    await page.getByText("Connecting to the board").waitFor();
    await part().getByRole("button", { name: "Cancel" }).click();
    await expectStatus(/Cancelled: nothing was written/);
    expect(rom.flash.equals(before)).toBe(true);
    rom.boot(true);
    // The buttons are pressed once for both: to find the chip, and to write.
    await find();
    await choose(IMAGE);
    await flashButton().click();
    await expectStatus(/is flashed/);
    expect(flashOf(IMAGE).equals(IMAGE)).toBe(true);
  });

  test("a line that takes no high speed is used at the low one", async () => {
    await openPage({ fastest: 115_200 });
    await find();
    await choose(IMAGE);
    await flashButton().click();
    await expectStatus(/is flashed/);
    // A busy machine may make it begin anew: the high speed is tried, the low one is what it is done at.
    await expectSoon(() => serial.speeds.length >= 4);
    expect(serial.speeds.slice(0, 3)).toEqual([115_200, 460_800, 115_200]);
    expect(serial.speeds.at(-1)).toBe(115_200);
    expect(flashOf(IMAGE).equals(IMAGE)).toBe(true);
  });

  test("a flash that does not hold what was written is noticed", async () => {
    await openPage();
    await find();
    await choose(IMAGE);
    rom.onBlock = () => (rom.flash[0x20] = 0);
    await flashButton().click();
    await expectStatus(/does not hold what was written/);
  });

  test.each<[string, () => Buffer, RegExp]>([
    ["some other file", () => Buffer.from("PK\x03\x04, and so on"), /is not an image for an ESP32/],
    ["an application alone", () => IMAGE.subarray(0x10000), /application alone.*-full/],
    ["a file that was cut off", () => IMAGE.subarray(0, IMAGE.length - 1), /damaged or was cut off/],
    ["a file with a wrong byte", () => flipped(IMAGE, 0x20000), /damaged or was cut off/],
    [
      "a chip that nobody knows",
      () => fullImage({ chip: 77, application: randomBytes(100) }),
      /not known here \(number 77\)/,
    ],
  ])("%s is refused", async (_name, bytes, reason) => {
    await openPage();
    await find();
    await choose(bytes(), "a\x1b[2J<img src=x onerror=alert(1)>.bin");
    await expectStatus(reason);
    expect(await message().innerText()).toContain("a\\u{1b}[2J<img");
    expect(await flashButton().count()).toBe(0);
  });

  function publish(index: unknown, image = IMAGE): void {
    web.server.files.set("images/index.json", typeof index === "string" ? index : JSON.stringify(index));
    web.server.files.set(`images/${ENTRY.file}`, image);
    for (const name of readdirSync("web/licenses"))
      web.server.files.set(`licenses/${name}`, readFileSync(`web/licenses/${name}`));
  }

  test("an image that lies beside the page is offered, with its licences", async () => {
    publish({ source: "https://example.org/esp32gpt-1.2.3.tar.gz", images: [ENTRY] });
    await openPage();
    await find();
    const paragraph = page.getByText("These images contain");
    await paragraph.waitFor();
    const links = await paragraph.getByRole("link").all();
    const addresses = await Promise.all(links.map((link) => link.getAttribute("href")));
    expect(addresses).toContain("https://example.org/esp32gpt-1.2.3.tar.gz");
    for (const path of addresses.filter((address) => !address?.startsWith("https:")))
      expect((await page.request.get(web.server.address + String(path))).status()).toBe(200);
    // It is proposed, as the one for this chip.
    await page.getByText("The board’s own checkpoint survives").waitFor();
    await choose(Buffer.from("something else"));
    await expectStatus(/is not an image/);
    await openChoices();
    await page.getByLabel("ESP32, 4 MB").check();
    await page.getByText("The board’s own checkpoint survives").waitFor();
    expect(await part().locator("input[type=file]").inputValue()).toBe("");
    await flashButton().click();
    await expectStatus(/is flashed/);
    expect(flashOf(IMAGE).equals(IMAGE)).toBe(true);
  });

  test("the folder has the licences of what flashes, and the project's own", async () => {
    await openPage();
    const read = async (path: string): Promise<string> => (await page.request.get(web.server.address + path)).text();
    const licenses = await read("licenses.md");
    for (const part of ["esptool-js", "The flasher stubs in esptool-js", "pako", "The zlib in pako", "atob-lite"])
      expect(licenses).toContain(`\n## ${part} `);
    expect(licenses).toContain("\n## @noble/hashes ");
    expect(await read("LICENSE.txt")).toContain("MIT License");
  });

  test.each<[string, Buffer, object, RomLoaderOptions, string, RegExp]>([
    [
      "other bytes than the list says",
      flipped(IMAGE, 0x20000),
      ENTRY,
      {},
      "ESP32 with 4 MB",
      /is not the file that the list describes/,
    ],
    [
      "another chip than the list says",
      IMAGE,
      { ...ENTRY, chip: "esp32c3" },
      { chip: "esp32c3" },
      "ESP32-C3 with 4 MB",
      /for another chip or flash than the list/,
    ],
    [
      "another flash than the list says",
      IMAGE,
      { ...ENTRY, flash: "8mb" },
      { flashSize: 8 << 20 },
      "ESP32 with 8 MB",
      /for another chip or flash than the list/,
    ],
  ])("an image with %s is refused", async (_name, image, entry, board, what, reason) => {
    publish({ images: [entry] }, image);
    await openPage(board);
    await find(what);
    await expectStatus(reason);
    expect(await flashButton().count()).toBe(0);
  });

  test("a list that leads elsewhere is not taken, and a file of one's own can be flashed all the same", async () => {
    publish({ images: [ENTRY, { ...ENTRY, file: "../secret.bin" }] });
    await openPage();
    await find();
    await expectStatus(/^The list of images \(images\/index\.json\) has a wrong "file" in image 2: tell whoever/);
    expect(await part().getByRole("radio").count()).toBe(0);
    await choose(IMAGE);
    await page.getByText("own checkpoint survives").waitFor();
  });

  test("a list that shows text as it is, and nothing when there is none", async () => {
    publish({ images: [{ ...ENTRY, name: "<b>\u202ebold</b>" }] });
    await openPage();
    await find();
    await openChoices();
    await page.getByText("<b>\\u{202e}bold</b>").waitFor();
    web.server.files.set("images/index.json", undefined);
    // The browser itself says so.
    const complaint = page.waitForEvent("console", (message) => message.text().includes("404"));
    await page.reload();
    await findButton().click();
    await complaint;
    expect(web.troubles.splice(0)).toEqual([expect.stringContaining("404")]);
    await page.getByText("A full image (-full.bin)", { exact: true }).waitFor();
    expect(await message().textContent()).toBe("");
  });
});

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] ^= 1;
  return copy;
}
