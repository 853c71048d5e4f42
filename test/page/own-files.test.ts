import { readFileSync, writeFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { temporaryFolder } from "../support/cli";
import { describeInBrowser, expectSoon, PageInBrowser } from "../support/page";

/* Lists and files of the user's own: pasted, chosen, or dropped anywhere on the page. */

const at = temporaryFolder();

describeInBrowser("the page", () => {
  const web = new PageInBrowser();
  let page: Page;
  beforeEach(() => ({ page } = web));

  const { button, problem, tab } = web;
  const train = (): Promise<void> => web.train();

  describe("with a list of one's own", () => {
    async function takeText(text: string): Promise<void> {
      await page.getByText("A list of your own").click();
      await page.getByLabel("Or typed here").fill(text);
      await button("Take this text").click();
    }

    test("names its file, and the line, in what it says against it", async () => {
      await web.visit();
      await page.getByText("A list of your own").click();
      const file = { name: "mylist.txt", mimeType: "text/plain", buffer: Buffer.from("anna\nb\u0007b\n") };
      await page.getByLabel("From a file").setInputFiles(file);
      await problem("mylist.txt, line 2: U+0007 is a control character: leave it out.").waitFor();
      await page.getByLabel("Or typed here").fill("anna\nb\u0007b\n");
      await button("Take this text").click();
      await problem("your text, line 2: U+0007 is a control character: leave it out.").waitFor();
    });

    test("offers the block_size that its lines need, and sets it", async () => {
      await web.visit("?block_size=5&steps=30");
      await takeText("ann\nbob\neve\nannabella\n");
      await page.locator(".remark", { hasText: "1 of 4 names (25 %) are too long for block_size 5" }).waitFor();
      const set = button("Set block_size to 10, so that every line fits");
      await set.click();
      await page.waitForURL(/block_size=10/);
      await set.waitFor({ state: "detached" });
      await train();
      expect(await page.locator(".remark", { hasText: "too long" }).count()).toBe(0);
    });

    test.each([
      ["right-to-left", "שלום\nתודה\nבוקר\nמרחבא\n"],
      ["combining", "न\u093fला\nकी\nमी\u0902\n"],
      ["invisible", "a\u200db\nc\u200cd\nab\n"],
    ])("trains on %s characters", async (_, text) => {
      await web.visit("?steps=30");
      await takeText(text);
      await page.waitForURL(/list=own-/);
      await train();
      expect(await page.locator(".names li").count()).toBe(20);
      expect(await problem(/./).count()).toBe(0);
    });

    test("is not frozen by 50 MB of pasted text, and says what to do instead", async () => {
      await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
      await web.visit();
      await page.getByText("A list of your own").click();
      const field = page.getByLabel("Or typed here");
      await page.evaluate(`{
        globalThis.longest = 0;
        new PerformanceObserver((list) => {
          for (const { duration } of list.getEntries()) longest = Math.max(longest, duration);
        }).observe({ type: "longtask" });
      }`);
      const paste = async (text: string): Promise<void> => {
        await page.evaluate(`navigator.clipboard.writeText(${text}).then(() => (longest = 0))`);
        await field.focus();
        await page.keyboard.press("Control+V");
      };
      await paste(`"anna\\n".repeat(10_000_000)`);
      await problem("your text has more than 16 MB: that is too large.").waitFor();
      expect(await field.inputValue()).toBe("");
      console.info(`The longest task of the refused paste took ${await page.evaluate<number>("longest")} ms.`);
      await paste(`"anna\\nbob\\n".repeat(30_000)`);
      await page.waitForURL(/list=own-/);
      await page.locator(".settings .problem:empty").waitFor({ state: "attached" });
      expect(await field.inputValue()).toBe("");
      await paste(`"anna\\nbob\\n"`);
      await expectSoon(async () => (await field.inputValue()) === "anna\nbob\n");
      await tab("inside").click();
      await page.evaluate("navigator.clipboard.writeText('a'.repeat(3000))");
      await page.getByLabel("A word to look at").focus();
      await page.keyboard.press("Control+V");
      await problem("The text has 3,000 characters, and this field takes 2,000 at most.").waitFor();
    });
  });

  describe("on which a file is dropped", () => {
    /** Drops files of the disk, as a user does. */
    async function drop(selector: string, ...files: string[]): Promise<void> {
      const box = await page.locator(selector).first().boundingBox();
      if (!box) throw new Error(`${selector} is not to be seen`);
      const session = await page.context().newCDPSession(page);
      const at = { x: box.x + box.width / 2, y: box.y + Math.min(box.height / 2, 20) };
      const data = { items: [], files, dragOperationsMask: 1 };
      await session.send("Input.dispatchDragEvent", { type: "dragEnter", ...at, data });
      // The browser takes a drop if the page has accepted the move before it.
      for (let i = 0; i < 2; i++) await session.send("Input.dispatchDragEvent", { type: "dragOver", ...at, data });
      await page.getByText("Drop it here: a list of words (.txt), a checkpoint (.safetensors)").waitFor();
      await session.send("Input.dispatchDragEvent", { type: "drop", ...at, data });
      await session.detach();
      await page.getByText("Drop it here: a list of words").waitFor({ state: "detached" });
    }

    function file(name: string, content: string | Buffer): string {
      writeFileSync(at(name), content);
      return at(name);
    }

    test("takes a list, by its ending or by what is in it", async () => {
      await web.visit("?steps=30#inside");
      await drop("main", file("planets.txt", "mercury\nvenus\nearth\n"));
      await page.waitForURL(/list=own-/);
      expect(page.url()).toMatch(/#train$/);
      await train();
      await drop("textarea, .card", file("noending", "mercury\nvenus\nmars\n"));
      await button("Train anew").waitFor();
      await drop("body", file("bad.txt", "mercury\nve\u0007nus\n"));
      await problem("bad.txt, line 2: U+0007 is a control character").waitFor();
    });

    test("takes a checkpoint, by its ending or by what is in it", async () => {
      await web.visit("?steps=30");
      await train();
      const [download] = await Promise.all([page.waitForEvent("download"), button("Download").click()]);
      const bytes = readFileSync(await download.path());
      for (const name of ["mine.safetensors", "download"]) {
        await web.visit("?steps=50&list=dinosaurs#board");
        await drop("main", file(name, bytes));
        await page.waitForURL(/list=names&steps=30/);
        await button("Train again").waitFor();
      }
      await drop("main", file("bad.safetensors", "hello"));
      await problem(/^bad\.safetensors/).waitFor();
    });

    test("takes an image for a board, to the part that flashes", async () => {
      await page.addInitScript(`Object.defineProperty(navigator, "serial", { value: new EventTarget() });
        navigator.serial.getPorts = async () => [];`);
      await web.visit();
      await drop("main", file("mine-full.bin", Buffer.alloc(5000, 0xff)));
      await tab("board").and(page.locator("[aria-current]")).waitFor();
      await page.getByRole("status").filter({ hasText: "mine-full.bin" }).waitFor();
    });

    test("says of anything else what it takes, and stays", async () => {
      await web.visit();
      await drop("main", file("cat.png", Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0])));
      await problem("cat.png is neither a list of words (.txt), a checkpoint (.safetensors) nor an image").waitFor();
      await drop("main", file("a.txt", "anna\n"), file("b.txt", "bob\n"));
      await problem("Those are 2 files: drop one at a time.").waitFor();
      expect(page.url()).toContain(web.server.address);
    });
  });
});
