import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { BrowserContextOptions, Page } from "playwright-core";
import { atFullSpeed, builtPage, describeInBrowser, PageInBrowser } from "../support/page";

/* What the whole page promises: its weight, its licences, and that everybody can use it. */

const PANES = ["train", "inside", "board"];

describe("the folder of the page", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await builtPage();
  });

  const files = (): string[] =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));

  test("weighs at most 300 KB compressed, dataset included, and what is loaded for flashing apart", () => {
    const bytes = files()
      .filter((file) => !file.includes("/esptool/"))
      .reduce((sum, file) => sum + gzipSync(readFileSync(file)).length, 0);
    console.info(`${bytes} bytes, compressed one by one.`);
    expect(bytes).toBeLessThan(300 * 1024);
    expect(files().some((file) => file.includes("/esptool/"))).toBe(true);
  });

  test("has the licences of everything in it", () => {
    const licenses = readFileSync(join(folder, "licenses.md"), "utf8");
    for (const name of [
      "preact",
      "@preact/signals",
      "@preact/signals-core",
      "uplot",
      "idb-keyval",
      "esptool-js",
      "pako",
    ])
      expect(licenses).toContain(`\n## ${name} `);
    const names = files().map((file) => file.slice(folder.length + 1));
    expect(names).toEqual(
      expect.arrayContaining(["LICENSE.txt", "licenses/LGPL-3.0.txt", "licenses/GPL-3.0.txt", "licenses/images.txt"]),
    );
  });

  test("asks for nothing but itself: a strict policy, no script or style inside the page, relative addresses", () => {
    const html = readFileSync(join(folder, "index.html"), "utf8");
    expect(html).toMatch(/default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'/);
    expect(html).not.toMatch(/unsafe|<style|style=|<script(?![^>]*\ssrc=)| on\w+=/);
    for (const [, address] of html.matchAll(/(?:src|href)="([^"]*)"/g)) expect(address).toMatch(/^\.\//);
  });
});

describeInBrowser("the page", () => {
  const web = new PageInBrowser();
  let page: Page;

  async function open(address: string, options?: BrowserContextOptions): Promise<void> {
    await web.open(options);
    ({ page } = web);
    await page.goto(web.server.address + atFullSpeed(address));
    await page.locator("main > *").first().waitFor();
  }

  const button = (name: string) => page.getByRole("button", { name, exact: true });

  async function train(): Promise<void> {
    await button("Train").click();
    await button("Train again").waitFor();
  }

  describe.each(["light", "dark"] as const)("in %s", (colorScheme) => {
    test.each(PANES)("%s: axe-core finds nothing serious, before and after a training", async (pane) => {
      await open("?list=dinosaurs&steps=50&holdout=10", { colorScheme });
      if (pane !== "train") await page.goto(`${page.url()}#${pane}`);
      expect(await web.faults()).toEqual([]);
      await page.goto(`${web.server.address}?list=dinosaurs&steps=50&holdout=10&speed=max#train`);
      await train();
      await button("Another seed").click();
      await page.waitForURL(/seed=43/);
      await button("Train again").waitFor();
      for (const summary of await page.locator("summary").all()) await summary.click();
      await page.evaluate(`location.hash = "${pane}"`);
      await page.locator(`nav [aria-current][href="#${pane}"]`).waitFor();
      expect(await web.faults()).toEqual([]);
    });
  });

  test.each(PANES)("%s fits a phone", async (pane) => {
    await open("?list=hiragana&steps=30", { viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true });
    await train();
    await page.evaluate(`location.hash = "${pane}"`);
    await page.locator(`nav [aria-current][href="#${pane}"]`).waitFor();
    for (const summary of await page.locator("summary").all()) await summary.click();
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(320);
  });

  test("is used with the keyboard alone", async () => {
    await open("?list=dinosaurs&steps=3000");
    await button("Train").and(page.locator(":enabled")).waitFor();
    const focused = (): Promise<string> =>
      page.evaluate(
        "(document.activeElement.ariaLabel ?? document.activeElement.name) || (document.activeElement.querySelector('h2') ?? document.activeElement).textContent",
      );
    const reach = async (name: string): Promise<void> => {
      for (let i = 0; (await focused()) !== name; i++) {
        if (i > 60) throw new Error(`${name} cannot be reached`);
        await page.keyboard.press("Tab");
      }
    };
    await reach("Settings");
    await page.keyboard.press("Enter");
    await reach("steps");
    await page.keyboard.press("Control+A");
    await page.keyboard.type("200");
    await page.waitForURL(/steps=200/);
    await reach("speed");
    await page.keyboard.press("ArrowLeft");
    await page.getByText("1,000 steps per second").waitFor();
    await page.keyboard.press("End");
    await page.keyboard.press("Shift+Tab");
    await reach("Train");
    await page.keyboard.press("Enter");
    await button("Train again").waitFor();
    await reach("Look inside");
    await page.keyboard.press("Enter");
    await page.locator("nav [aria-current]", { hasText: "Look inside" }).waitFor();
  });

  test("says what happens to those who do not see it", async () => {
    await open("?list=dinosaurs&steps=100");
    await page.getByRole("status").filter({ hasText: "The training is ready." }).waitFor({ state: "attached" });
    await train();
    await page.getByRole("status").filter({ hasText: "The training is over." }).waitFor({ state: "attached" });
    await page
      .getByRole("img", {
        name: /^The curve of the loss: from \d\.\d\d to \d\.\d\d, smoothed, in 100 steps\. Guessing blindly: \d\.\d\d\. Counting pairs of letters: \d\.\d\d\.$/,
      })
      .waitFor();
  });

  test("moves nothing for those who want no motion", async () => {
    await open("", { reducedMotion: "reduce" });
    const moving =
      "[...document.querySelectorAll('*')].filter((e) => getComputedStyle(e).transitionDuration !== '0s').length";
    expect(await page.evaluate(moving)).toBe(0);
    expect(await page.evaluate("document.getAnimations().length")).toBe(0);
  });
});
