import type { Page } from "playwright-core";
import { describeInBrowser, expectSoon, PageInBrowser } from "../support/page";

/* What one part of the page does to another. */

describeInBrowser("parts of the page together", () => {
  const web = new PageInBrowser();
  let page: Page;
  beforeEach(() => ({ page } = web));

  const button = (name: string | RegExp, at: Page = page) => at.getByRole("button", { name, exact: true });
  const link = (name: string, at: Page = page) => at.getByRole("link", { name, exact: true });

  /** Saves are only those that something asks for, not those of every two seconds. */
  async function saveOnlyWhenAsked(): Promise<void> {
    await page.route("**/worker*", async (route) => {
      const response = await route.fetch();
      const script = await response.text();
      const changed = script.replace(/save_every:[\w$]+\}/, "save_every:1e6}");
      expect(changed === script).toBe(false);
      await route.fulfill({ response, body: changed });
    });
  }

  async function stepsShown(): Promise<number> {
    const shown = await page.locator(".figures div:first-child dd").innerText();
    return Number(shown.replace(/\s.*/s, "").replaceAll(",", ""));
  }

  test.each([
    ["a walked step", "Pause, and walk through a step"],
    ["a what-if", "What if"],
  ])("%s that pauses a training saves it", async (_, name) => {
    await saveOnlyWhenAsked();
    await web.visit("?speed=50");
    // Nothing else is asked of the training then, so that leaving it does not save it.
    await page.locator('[aria-label*="ounting pairs"]').first().waitFor();
    await button("Train").click();
    await page.locator(".figures div:first-child dd", { hasText: /^\d{2}/ }).waitFor();
    await link("One step").click();
    await button(name).click();
    await page.locator(".walk").waitFor();
    const said = await page.locator(".walk .top p").innerText();
    const steps = Number(/step (\d+)/i.exec(said)?.[1]);
    await page.reload();
    await link("Train here").click();
    await button("Resume").waitFor();
    expect(await stepsShown()).toBe(steps);
  });

  describe("while settings wait for “Train anew”", () => {
    async function changeWidth(): Promise<void> {
      await web.openSettings();
      await page.locator("input[name=n_embd]").fill("8");
      await page.getByText("What you have changed waits").waitFor();
      await link("One step").click();
    }
    const firstStep = () => page.locator(".walk", { hasText: "Step 1 of 1,000" });

    test("the walk says that it begins with them", async () => {
      await web.visit();
      for (let i = 0; i < 2; i++) await button("One step").click();
      await changeWidth();
      await page.getByText("Your changed settings begin with it, and the present run ends.").waitFor();
      await button("Walk through step 1").click();
      await firstStep().waitFor();
    });

    test("so does the last picture of a walk", async () => {
      await web.visit();
      await link("One step").click();
      for (let i = 0; i < 2; i++) {
        await page.locator(".step button.primary").click();
        await page.locator(".walk", { hasText: `Step ${i + 1} of` }).waitFor();
        await button(/Again$/).click();
      }
      await link("Train here").click();
      await changeWidth();
      await button("Begin with the changed settings").click();
      await firstStep().waitFor();
    });

    test("a stopped training has a step to walk through: theirs", async () => {
      await web.visit("?speed=50");
      await button("Train").click();
      await button("Stop").click();
      await button("Train again").waitFor();
      await changeWidth();
      await button("Walk through step 1").click();
      await firstStep().waitFor();
    });
  });

  test("while a setting is refused, no step of an earlier choice is made", async () => {
    await web.visit();
    await web.openSettings();
    await page.locator("input[name=n_embd]").fill("7");
    await page.locator(".problem", { hasText: "must be a multiple" }).first().waitFor();
    expect(await button("One step").isDisabled()).toBe(true);
    await link("One step").click();
    await page.getByText("there is no next step").waitFor();
    await page.keyboard.press("ArrowRight");
    expect(await page.locator(".walk").count()).toBe(0);
  });

  test("what another tab goes on with is neither walked nor taught here", async () => {
    await web.visit();
    await link("One step").click();
    await button("Walk through step 1").click();
    await button(/Again$/).click();
    await button("Next step").waitFor();
    const newer = await page.context().newPage();
    await newer.goto(`${web.server.address}?speed=max`);
    await button("Resume", newer).waitFor();
    await page.locator(".problem", { hasText: "goes on in another tab" }).waitFor();
    expect(await button("Next step").count()).toBe(0);
    await link("Train here").click();
    await page.getByText("This training goes on in another tab: teach it there.").waitFor();
    expect(await button("Teach").isDisabled()).toBe(true);
    await link("One step").click();
    await button("Go on here").click();
    await page.locator(".problem:empty").waitFor({ state: "attached" });
  });

  test("after the last seed comes the first", async () => {
    await web.visit("?steps=3&seed=4294967295");
    await button("Train").click();
    await button("Train again").waitFor();
    await button("Another seed").click();
    await page.waitForURL(/seed=1&/);
    await button("Train again").waitFor();
  });

  test("who keeps a training is back at the button that asked", async () => {
    await web.visit("?speed=5");
    await button("Train").click();
    await page.locator(".figures div:first-child dd", { hasText: /^[1-9]/ }).waitFor();
    await button("Another seed").click();
    await button("Keep it").click();
    await expectSoon(async () => (await page.evaluate("document.activeElement.textContent.trim()")) === "Another seed");
  });

  test("the text beside the link says that it does not carry the words that were taught", async () => {
    await web.visit();
    await page.locator("textarea[name=own-words]").fill("zaphod");
    await button("Teach").click();
    await page.getByText("none of the words that you taught it").waitFor();
  });

  test("a pinned weight fits when the window becomes narrower", async () => {
    await web.open({ viewport: { width: 600, height: 844 } });
    ({ page } = web);
    await web.visit("#inside");
    const matrix = page.locator(".model-map canvas").first();
    await matrix.click();
    await page.locator(".weight-chart canvas").waitFor();
    await page.setViewportSize({ width: 320, height: 844 });
    await expectSoon(async () => (await page.evaluate("document.documentElement.scrollWidth")) === 320);
  });

  test("on a phone the parts of the page are in one row", async () => {
    await web.open({ viewport: { width: 390, height: 844 } });
    ({ page } = web);
    await web.visit();
    const boxes = await Promise.all((await page.locator("header nav a").all()).map((one) => one.boundingBox()));
    const tops = boxes.map((box) => box?.y);
    expect(new Set(tops).size).toBe(1);
  });

  test("a message with a long word fits the window", async () => {
    await web.open({ viewport: { width: 320, height: 844 } });
    ({ page } = web);
    await web.visit();
    const width = (): Promise<number> => page.evaluate("document.documentElement.scrollWidth");
    await page.locator("textarea[name=own-words]").fill("x".repeat(300));
    await button("Teach").click();
    await page.getByText("0 of 1 word was taken.").waitFor();
    expect(await width()).toBe(320);
    await link("One step").click();
    await page.locator("input[name=what-if]").fill("x".repeat(300));
    await button("What if").click();
    await page.locator(".problem", { hasText: "is too long" }).waitFor();
    expect(await width()).toBe(320);
  });

  test("the walk shows words of Hebrew from the right, and each letter before the next one", async () => {
    await web.visit();
    await page.getByText("A list of your own").click();
    await page.getByLabel("Or typed here").fill("שלום\nמים\nלחם\nשמש\n");
    await button("Take this text").click();
    await page.waitForURL(/list=own-/);
    await link("One step").click();
    await page.locator("input[name=what-if]").fill("שלום");
    await button("What if").click();
    await page.getByText("◂ is token 0").waitFor();
    const placesOf = (selector: string): Promise<number[]> =>
      page
        .locator(selector)
        .evaluateAll((all) =>
          all.map(
            (one) => (one as unknown as { getBoundingClientRect(): { left: number } }).getBoundingClientRect().left,
          ),
        );
    const tiles = await placesOf(".tokens li");
    expect(tiles).toEqual(tiles.toSorted((a, b) => b - a));
    await button(/Again$/).click();
    const row = "tbody tr:nth-child(2) th bdi";
    expect(await page.locator(row).allInnerTexts()).toEqual(["ש", "ל"]);
    const [letter, next] = await placesOf(row);
    expect(letter).toBeLessThan(next);
    await button(/Loss$/).click();
    await page.locator(".letters button").first().click();
    await page.keyboard.press("ArrowLeft");
    await button("Position 1, ש").and(page.locator("[aria-pressed=true]")).waitFor();
  });
});
