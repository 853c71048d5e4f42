import type { Locator, Page } from "playwright-core";
import { atFullSpeed, describeInBrowser, expectSoon, PageInBrowser } from "../support/page";

/* Looking into a model in the page: before it trains, while it does, and afterwards. */

describeInBrowser("looking inside in the page", () => {
  const web = new PageInBrowser();
  let page: Page;
  beforeEach(() => ({ page } = web));

  async function open(query = ""): Promise<void> {
    await page.goto(web.server.address + atFullSpeed(`${query}#inside`));
    await page.locator(".views").waitFor();
  }

  const button = (name: string): Locator => page.getByRole("button", { name, exact: true });
  const card = (name: string): Locator => page.getByRole("region", { name, exact: true });
  const next = (): Locator => card("The next character");
  const word = (): Locator => page.getByLabel("A word to look at");

  /** Percent of a character to come. */
  async function likelihoodOf(character: string): Promise<number> {
    await next().getByLabel("all, in the order of the alphabet").check();
    const row = next()
      .getByRole("listitem")
      .filter({ has: page.getByText(character, { exact: true }) });
    return parseFloat((await row.locator(".share").innerText()).replace("<", ""));
  }

  async function train(): Promise<void> {
    await button("Train").click();
    await button("Train again").waitFor();
    await page.getByText("Step 1,000 of 1,000").waitFor();
  }

  /** What the canvas of a matrix shows. */
  const matrix = (index: number): Promise<string> =>
    page.evaluate<string>(`document.querySelectorAll("canvas.heat")[${index}].toDataURL()`);

  const letters = (): Promise<string[]> =>
    page.getByRole("group", { name: "Letters" }).locator("button").allInnerTexts();

  test("an untrained model finds everything equally likely and looks everywhere; a trained one has learnt", async () => {
    await open();
    expect(await word().inputValue()).toBe("maria");
    expect(await letters()).toEqual(["▸", "m", "a", "r", "i", "a"]);
    expect(await next().getByRole("heading").innerText()).toBe("What comes after ▸mar");
    for (const character of ["a", "q", "end of the word"]) {
      const likelihood = await likelihoodOf(character);
      expect(likelihood).toBeGreaterThan(3);
      expect(likelihood).toBeLessThan(4.5);
    }
    const shares = await card("Attention").locator("td").allInnerTexts();
    expect(shares).toHaveLength(16);
    for (const share of shares) expect(Math.abs(parseFloat(share) - 25)).toBeLessThan(2);
    const [wte, wout] = [await matrix(0), await matrix(8)];

    await train();
    await expectSoon(async () => (await likelihoodOf("i")) > 10);
    expect(await likelihoodOf("q")).toBeLessThan(1);
    expect(await matrix(0)).not.toBe(wte);
    expect(await matrix(8)).not.toBe(wout);
    // The likeliest first, again.
    await next().getByLabel("all, in the order of the alphabet").uncheck();
    expect(await next().getByRole("listitem").count()).toBe(13);
  });

  test("pictures move as it trains, and stand still when it rests", async () => {
    await open();
    await page.getByLabel("Speed").fill("4");
    await button("Train").click();
    const seen = new Set<string>();
    await expectSoon(async () => seen.add((await matrix(0)) + (await next().innerText())).size > 5);
    await button("Pause").click();
    await button("Resume").waitFor();
    await page.waitForTimeout(300);
    const still = await matrix(0);
    await page.waitForTimeout(300);
    expect(await matrix(0)).toBe(still);
    await button("One step").click();
    await expectSoon(async () => (await matrix(0)) !== still);
  });

  test("the change since the start is nothing before the first step", async () => {
    await open();
    const isEmpty = (index: number): Promise<boolean> =>
      page.evaluate<boolean>(`(() => {
        const canvas = document.querySelectorAll("canvas.heat")[${index}];
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return new Set(new Uint32Array(data.buffer)).size === 1;
      })()`);
    expect(await isEmpty(0)).toBe(false);
    await page.getByLabel("how they have changed").check();
    await expectSoon(async () => (await isEmpty(0)) && (await isEmpty(8)));
    await button("One step").click();
    await expectSoon(async () => !(await isEmpty(0)) && !(await isEmpty(8)));
  });

  test("the keyboard alone goes through a word and through a head's squares", async () => {
    await open();
    await word().fill("anna");
    await expectSoon(async () => (await letters()).length === 5);
    await page.keyboard.press("Tab");
    expect(await next().getByRole("heading").innerText()).toBe("What comes after ▸an");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    expect(await next().getByRole("heading").innerText()).toBe("What comes after ▸anna");
    expect(await page.evaluate<string>("document.activeElement.ariaLabel")).toBe("a");
    expect(await next().locator(".following bdi").innerText()).toBe("end of the word");
    await page.keyboard.press("Home");
    expect(await next().getByRole("heading").innerText()).toBe("What comes after ▸");
    expect(await page.evaluate<string>("document.activeElement.ariaLabel")).toBe("start of the word");
    await button("Next letter").press("Enter");
    expect(await next().getByRole("heading").innerText()).toBe("What comes after ▸a");

    const reading = card("Attention").locator(".reading");
    await card("Attention").getByRole("img").nth(1).focus();
    expect(await reading.innerText()).toMatch(/^Head 2: a looks at start of the word: \d+\.\d%$/);
    await page.keyboard.press("ArrowRight");
    expect(await reading.innerText()).toMatch(/^Head 2: a looks at a: \d+\.\d%$/);
    await page.keyboard.press("ArrowDown");
    expect(await reading.innerText()).toMatch(/^Head 2: n looks at a: \d+\.\d%$/);
  });

  test("a word that the model cannot read is refused with a sentence, and what is shown stays", async () => {
    await open();
    const alert = card("The word").locator("[role=alert]");
    await word().fill("<b>\u202e");
    await expectSoon(async () => (await alert.innerText()).includes('"<" in "<b>\\u{202e}" is not in the model'));
    expect(await letters()).toHaveLength(6);
    await word().fill("abcdefghijklmnop");
    await expectSoon(async () => (await alert.innerText()) === "The model looks at 15 characters at most.");
    await word().fill("eva");
    await expectSoon(async () => (await letters()).length === 4);
    expect(await alert.textContent()).toBe("");
  });

  test("names are written by prefix and temperature, or it is said why not", async () => {
    await open();
    await train();
    const form = card("Write words");
    const write = async (prefix: string, count: string): Promise<void> => {
      await form.getByLabel("Begins with").fill(prefix);
      await form.getByLabel("How many").fill(count);
      await form.getByRole("button").click();
    };
    await write("mar", "7");
    await expectSoon(async () => (await form.locator("li").count()) === 7);
    for (const name of await form.locator("li").allInnerTexts())
      expect(name).toMatch(/^mar[a-z]*\s\d\.\d\sbits a letter\s(new|known)$/);

    await form.getByLabel("Temperature").fill("0");
    await write("k", "3");
    await expectSoon(async () => (await form.locator("li").count()) === 3);
    expect(new Set(await form.locator("li").allInnerTexts()).size).toBe(1);

    await form.getByLabel("Temperature").fill("2");
    await form.getByLabel("top-k").fill("1");
    await write("k", "4");
    await expectSoon(async () => (await form.locator("li").count()) === 4);
    expect(new Set(await form.locator("li").allInnerTexts()).size).toBe(1);
    await form.getByLabel("top-k").fill("");
    await form.getByLabel("top-p").fill("0.01");
    await write("k", "3");
    await expectSoon(async () => (await form.locator("li").count()) === 3);
    expect(new Set(await form.locator("li").allInnerTexts()).size).toBe(1);

    const alert = form.locator("[role=alert]");
    await form.getByLabel("top-p").fill("1.5");
    await write("k", "2");
    await expectSoon(async () => (await alert.innerText()).includes("top-p must be a number from 0 to 1"));
    await form.getByLabel("top-p").fill("");
    for (const [prefix, count, message] of [
      ["ß", "3", '"ß" in "ß" is not in the model'],
      ["abcdefghijklmnopq", "3", "is too long"],
      ["", "0", "The number of names"],
      ["", "101", "The number of names"],
      ["", "", "The number of names"],
    ]) {
      await write(prefix, count);
      await expectSoon(async () => (await alert.innerText()).includes(message));
      expect(await form.locator("li").count()).toBe(3);
    }
    await write("", "1");
    await expectSoon(async () => (await form.locator("li").count()) === 1);
    expect(await alert.textContent()).toBe("");
  });

  test("a list in another alphabet is looked at by one of its own words, layer by layer", async () => {
    await open("?list=hiragana&preset=tuned&steps=500&n_layer=2");
    expect(await word().inputValue()).toBe("はくさい");
    expect(await card("The characters").getByText("vowels").count()).toBe(0);
    expect(await card("The weights").getByText("bias").count()).toBe(1);
    const first = await matrix(2);
    await card("The weights").getByLabel("Layer").selectOption("2 of 2");
    await expectSoon(async () => (await matrix(2)) !== first);
    expect(await card("Attention").getByLabel("Layer").inputValue()).toBe("1");
  });

  test.each(["light", "dark"] as const)(
    "axe-core finds nothing, and a phone is wide enough: %s",
    async (colorScheme) => {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.setViewportSize({ width: 360, height: 740 });
      await open();
      expect(await web.faults()).toEqual([]);
      await train();
      await card("Write words").getByRole("button").click();
      await expectSoon(async () => (await card("Write words").locator("li").count()) === 10);
      expect(await web.faults()).toEqual([]);
      expect(await page.evaluate<number>("document.documentElement.scrollWidth")).toBe(360);
    },
  );
});
