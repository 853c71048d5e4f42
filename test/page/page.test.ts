import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { BrowserContextOptions, Page } from "playwright-core";
import { ROOT } from "../helpers";
import { temporaryFolder } from "../support/cli";
import { atFullSpeed, builtPage, describeInBrowser, PageInBrowser } from "../support/page";

/* What the whole page promises: its weight, its licences, and that everybody can use it. */

const PANES = ["train", "step", "inside", "board"];

const at = temporaryFolder();

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
    expect(files()).toContain(join(folder, "LICENSE.txt"));
  });

  test("has the images of a release, and what their licences ask for", () => {
    const release = `${at("release")}/`;
    mkdirSync(release);
    for (const name of ["index.json", "a-full.bin", "a.bin"]) writeFileSync(join(release, name), name);
    const vite = join("node_modules", "vite", "bin", "vite.js");
    const options = ["build", "--config", "web/vite.config.mjs", "--outDir", at("web")];
    execFileSync(process.execPath, [vite, ...options], {
      ...{ cwd: ROOT, stdio: "pipe", env: { ...process.env, ESP32GPT_RELEASE: release } },
    });
    for (const name of ["index.json", "a-full.bin"]) expect(readFileSync(at(`web/images/${name}`), "utf8")).toBe(name);
    expect(existsSync(at("web/images/a.bin"))).toBe(false);
    expect(readdirSync(at("web/licenses")).sort()).toEqual(["GPL-3.0.txt", "LGPL-3.0.txt", "images.txt"]);
    expect(existsSync(join(folder, "licenses"))).toBe(false);
  });

  test("has the lesson as a page, whose links lead somewhere", () => {
    const html = readFileSync(join(folder, "lesson.html"), "utf8");
    expect(html).toContain("<h1");
    expect(html).toMatch(/default-src 'none'/);
    const links = Array.from(html.matchAll(/href="([^"]*)"/g), ([, link]) => link);
    expect(links.length).toBeGreaterThan(4);
    for (const link of links)
      if (link.startsWith("#")) expect(html).toContain(`id="${link.slice(1)}"`);
      else expect(readFileSync(join(folder, link === "./" ? "index.html" : link)).length).toBeGreaterThan(0);
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

  test.each(["light", "dark"] as const)("the lesson: axe-core finds nothing serious in %s", async (colorScheme) => {
    await web.open({ colorScheme });
    await web.page.goto(`${web.server.address}lesson.html`);
    expect(await web.faults()).toEqual([]);
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
