import { readFileSync } from "node:fs";
import type { BrowserContext, Page } from "playwright-core";
import { atFullSpeed, describeInBrowser, expectSoon, PageInBrowser } from "../support/page";

/* What becomes of a training when its page is left or hidden, is open twice, or its worker ends. */

describeInBrowser("a training", () => {
  const web = new PageInBrowser();
  let page: Page;
  beforeEach(() => ({ page } = web));

  const button = (name: string, at: Page = page) => at.getByRole("button", { name, exact: true });

  async function stepsOf(at: Page = page): Promise<number> {
    const shown = await at.locator(".figures div:first-child dd").innerText();
    return Number(shown.replace(/\s.*/s, "").replaceAll(",", ""));
  }

  const problem = (text: string | RegExp, at: Page = page) => at.locator(".problem", { hasText: text }).first();

  describe("that is left", () => {
    test.each(["?steps=10000000", "?steps=10000000&n_embd=48&n_layer=2"])(
      "at full speed, %s, is there to its last step, with all losses",
      async (address) => {
        await web.visit(address);
        await button("Train").click();
        await expectSoon(async () => (await stepsOf()) > 50);
        const step = await stepsOf();
        await page.reload();
        await button("Resume").waitFor();
        const after = await stepsOf();
        console.info(`${step} steps were shown before the reload, ${after} after it.`);
        expect(after).toBeGreaterThanOrEqual(step);
        const [download] = await Promise.all([page.waitForEvent("download"), button("Download the losses").click()]);
        const rows = readFileSync(await download.path(), "utf8")
          .trimEnd()
          .split("\n");
        const at = rows.slice(1).map((row) => Number.parseInt(row, 10));
        const distances = at.slice(1).map((step, i) => step - at[i]);
        // The curve has no gap: its points are equally far apart, and as many as it keeps.
        expect(new Set(distances).size).toBe(1);
        expect(after - at[at.length - 1]).toBeLessThanOrEqual(distances[0]);
      },
    );

    test("after a single step has that step", async () => {
      await web.visit();
      for (const count of [1, 2, 3]) {
        await button("One step").click();
        await expectSoon(async () => (await stepsOf()) === count);
        await page.reload();
        await button("Resume").waitFor();
        expect(await stepsOf()).toBe(count);
      }
    });

    test("keeps its speed", async () => {
      await web.visit("?speed=5");
      await page.reload();
      await button("Train").waitFor();
      expect(await page.locator("output").first().innerText()).toBe("5 steps per second");
    });

    test("is saved at once when the page is hidden, and goes on", async () => {
      // Without the saves that are made every two seconds anyway.
      await page.route("**/worker*", async (route) => {
        const response = await route.fetch();
        const script = await response.text();
        const changed = script.replace(/save_every:[\w$]+\}/, "save_every:1e6}");
        expect(changed === script).toBe(false);
        await route.fulfill({ response, body: changed });
      });
      await web.visit("?steps=10000000");
      await page.evaluate(`Object.defineProperty(document, "visibilityState", { get: () => "hidden" })`);
      await button("Train").click();
      await expectSoon(async () => (await stepsOf()) > 50);
      const step = await stepsOf();
      const storedBefore = Math.max(0, ...(await storedSteps(page)));
      await page.evaluate(`document.dispatchEvent(new Event("visibilitychange"))`);
      await expectSoon(async () => (await storedSteps(page))[0] >= step);
      expect(storedBefore).toBeLessThan(step);
      expect(await button("Pause").count()).toBe(1);
      await button("Pause").click();
      await button("Resume").waitFor();
    });
  });

  describe("that is open in two tabs", () => {
    let context: BrowserContext;
    beforeEach(() => (context = page.context()));

    const open = async (tab: Page, address: string): Promise<void> => {
      await tab.goto(web.server.address + atFullSpeed(address));
      await tab.locator("button.primary:enabled").first().waitFor();
    };
    const TOLD = "This training goes on in another tab, which stores it: this tab does not store it any more.";

    test("goes on in the newer one; the older one pauses, says so, and takes it back", async () => {
      const address = "?steps=10000000";
      await open(page, address);
      await button("Train").click();
      await expectSoon(async () => (await stepsOf()) > 100);
      const step = await stepsOf();

      const newer = await context.newPage();
      await open(newer, address);
      await button("Resume", newer).waitFor();
      expect(await stepsOf(newer)).toBeGreaterThanOrEqual(step);
      await problem(TOLD).waitFor();
      for (const name of ["One step", "Stop"]) expect(await button(name).isDisabled()).toBe(true);
      for (const name of ["Resume", "Pause"]) expect(await button(name).isVisible()).toBe(false);
      expect(await stepsOf()).toBe(await stepsOf(newer));

      await button("Resume", newer).click();
      await expectSoon(async () => (await stepsOf(newer)) > (await stepsOf()) + 100);
      const stepOfNewer = await stepsOf(newer);
      await button("Go on here").click();
      await problem(TOLD, newer).waitFor();
      await button("Pause").click();
      await button("Resume").waitFor();
      expect(await stepsOf()).toBeGreaterThanOrEqual(stepOfNewer);
      expect(await page.locator(".problem:not(:empty)").count()).toBe(0);
    });

    test("is another one if its address is, and each tab keeps its own", async () => {
      await open(page, "?steps=10000000");
      await button("Train").click();
      const other = await context.newPage();
      await open(other, "?steps=10000000&seed=7");
      await button("Train", other).click();
      await expectSoon(async () => (await stepsOf(other)) > 100);
      for (const tab of [page, other]) {
        await button("Pause", tab).click();
        await button("Resume", tab).waitFor();
      }
    });
  });

  describe("whose worker", () => {
    const alter = (change: (script: string) => string): Promise<unknown> =>
      page.route("**/worker*", async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, body: change(await response.text()) });
      });
    const works = (): Promise<unknown> => page.unroute("**/worker*");
    const visit = (): Promise<unknown> => page.goto(`${web.server.address}?steps=10000000&speed=max`);
    const hasNoDeadButtons = async (): Promise<void> => {
      for (const name of ["Resume", "Pause", "Train", "One step", "Stop"]) {
        const there = button(name);
        if ((await there.count()) > 0 && (await there.isVisible())) expect(await there.isDisabled()).toBe(true);
      }
    };

    test.each([
      [
        "throws at once",
        () => `throw new TypeError("a mistake at the start");`,
        /internal error.*a mistake at the start/,
      ],
      ["throws when it begins", () => `onmessage = () => { throw new TypeError("a mistake"); };`, /internal error/],
    ])("%s: a sentence, and another try", async (_, change, sentence) => {
      await alter(change);
      await visit();
      await problem(sentence).waitFor();
      expect(await page.locator(".problem:visible:not(:empty)").count()).toBe(1);
      await hasNoDeadButtons();
      await works();
      await button("Try again").click();
      await button("Train").click();
      await button("Pause").click();
      await button("Resume").waitFor();
      web.troubles.length = 0;
    });

    test("never answers: a sentence, and another try", async () => {
      await page.clock.install();
      await alter(() => "");
      await visit();
      await button("Train").waitFor();
      await page.clock.runFor(11_000);
      await problem("The training worker does not answer: try again.").waitFor();
      await works();
      await page.clock.resume();
      await button("Try again").click();
      await button("Train").and(page.locator(":enabled")).waitFor();
    });

    test.each([
      ["closes itself", "close();", /its worker has ended/],
      ["throws", `throw new TypeError("a mistake in the worker");`, /a mistake in the worker/],
    ])("%s while it trains: a sentence, and it begins again with what is stored", async (_, code, sentence) => {
      await alter(
        (script) => `${script}\naddEventListener("message", ({ data }) => { if (data.name === "weights") ${code} });`,
      );
      await visit();
      await button("Train").click();
      await expectSoon(async () => (await stepsOf()) > 100);
      await button("Pause").click();
      await button("Resume").waitFor();
      const step = await stepsOf();
      await page.locator(`nav a[href="#inside"]`).click();
      await problem(sentence).waitFor();
      await hasNoDeadButtons();
      await works();
      await page.locator(`nav a[href="#train"]`).click();
      await button("Begin again").click();
      await button("Pause").click();
      await button("Resume").waitFor();
      expect(await stepsOf()).toBeGreaterThanOrEqual(step);
      expect(await page.locator(".problem:not(:empty)").count()).toBe(0);
      web.troubles.length = 0;
    });
  });
});

/** The steps of the stored checkpoints. */
async function storedSteps(page: Page): Promise<number[]> {
  const headers = await page.evaluate<string[]>(`new Promise((resolve) => {
    const opening = indexedDB.open("esp32gpt");
    opening.onsuccess = () => {
      const values = opening.result.transaction("kept").objectStore("kept").getAll();
      values.onsuccess = () => {
        opening.result.close();
        const files = values.result.filter((value) => value instanceof Uint8Array);
        resolve(files.map((bytes) => new TextDecoder("latin1").decode(bytes.subarray(0, 4000))));
      };
    };
  })`);
  return headers.map((header) => Number(/"step":"(\d+)"/.exec(header)?.[1]));
}
