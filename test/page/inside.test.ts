import { readFileSync } from "node:fs";
import type { Locator, Page } from "playwright-core";
import { NAMES_FILE } from "../helpers";
import { atFullSpeed, describeInBrowser, expectSoon, PageInBrowser } from "../support/page";

/* Looking into a model in the page: before it trains, while it does, and afterwards. */

describeInBrowser("looking inside in the page", () => {
  const web = new PageInBrowser();
  let page: Page;
  beforeEach(() => ({ page } = web));

  async function open(query = ""): Promise<void> {
    await page.goto(web.server.address + atFullSpeed(`${query}#inside`));
    await page.locator("canvas.heat").first().waitFor();
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
    const words = (): Locator => form.locator(".samples li");
    const write = async (prefix: string, count: string): Promise<void> => {
      await form.getByLabel("Begins with").fill(prefix);
      await form.getByLabel("How many").fill(count);
      await form.getByRole("button", { name: "Write words" }).click();
    };
    await write("mar", "7");
    await expectSoon(async () => (await words().count()) === 7);
    for (const name of await words().allInnerTexts())
      expect(name).toMatch(/^mar[a-z]*\s\d\.\d\sbits a letter\s(new|known)$/);

    await form.getByLabel("Temperature").fill("0");
    await write("k", "3");
    await expectSoon(async () => (await words().count()) === 3);
    expect(new Set(await words().allInnerTexts()).size).toBe(1);

    await form.getByLabel("Temperature").fill("2");
    await form.getByLabel("top-k").fill("1");
    await write("k", "4");
    await expectSoon(async () => (await words().count()) === 4);
    expect(new Set(await words().allInnerTexts()).size).toBe(1);
    await form.getByLabel("top-k").fill("");
    await form.getByLabel("top-p").fill("0.01");
    await write("k", "3");
    await expectSoon(async () => (await words().count()) === 3);
    expect(new Set(await words().allInnerTexts()).size).toBe(1);

    const alert = form.locator("#words-refusal");
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
      expect(await words().count()).toBe(3);
    }
    await write("", "1");
    await expectSoon(async () => (await words().count()) === 1);
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

  test("a key, or a click on an arrow, before the first picture does no harm", async () => {
    await page.goto(`${web.server.address}?n_embd=512&n_layer=4&speed=max#train`);
    await button("Train").click();
    await button("Pause").waitFor();
    const isEarly = await page.evaluate<boolean>(`new Promise((resolve) => {
      location.hash = "#inside";
      new MutationObserver((_, observer) => {
        const letters = document.querySelector(".letters");
        if (!letters) return;
        observer.disconnect();
        resolve(!document.querySelector(".views"));
        letters.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft", bubbles: true }));
        document.querySelector('[aria-label="Previous letter"]').click();
      }).observe(document.body, { childList: true, subtree: true });
    })`);
    expect(isEarly).toBe(true);
    await page.locator(".views").waitFor();
    expect(await letters()).toEqual(["▸", "m", "a", "r", "i", "a"]);
    expect(await next().getByRole("heading").innerText()).toBe("What comes after ▸mar");
  });

  test("after a training the example is still a word of the list, and one that fits", async () => {
    await open("?steps=20&n_embd=4&n_head=1");
    await button("Train").click();
    await button("Train again").waitFor();
    await page.getByRole("link", { name: "Train here" }).click();
    await page.getByRole("link", { name: "Look inside", exact: true }).click();
    expect(await word().inputValue()).toBe("maria");
    await open("?steps=20&block_size=4");
    expect(await word().inputValue()).toMatch(/^[a-z]{1,3}$/);
    expect(readFileSync(NAMES_FILE, "utf8").split("\n")).toEqual(
      expect.arrayContaining(["maria", await word().inputValue()]),
    );
  });

  test("nearly even attention is told with its figures, and another recipe trained by a button shows more", async () => {
    await open();
    const told = card("Attention").locator(".evenness");
    await expectSoon(async () => (await told.innerText()).includes("an even one would be 25%"));
    expect(await told.innerText()).toContain("Nearly even: all shares lie between 25% and 25%");
    expect(await told.getByRole("button").count()).toBe(0);
    await train();
    await expectSoon(async () => (await told.innerText()).includes("between 19% and 29%"));
    await page.getByRole("group", { name: "Letters" }).getByRole("button", { name: "i", exact: true }).click();
    await expectSoon(async () => (await told.innerText()).includes("between 18% and 22%"));
    await told.getByRole("button", { name: "Train it: tuned, 2,000 steps" }).click();
    await page.getByText("Step 2,000 of 2,000").waitFor();
    await page.getByRole("group", { name: "Letters" }).getByRole("button", { name: "r", exact: true }).click();
    await expectSoon(async () => (await told.innerText()).startsWith("From 5% to 83%"));
    expect(await told.getByRole("button").count()).toBe(0);
    expect(page.url()).toContain("preset=tuned&steps=2000");
  });

  test.each(["", "?list=towns&steps=300", "?list=hiragana&steps=100"])(
    "on the map no letter covers another, before and after a training: %s",
    async (query) => {
      const covered = (): Promise<readonly string[]> =>
        page.evaluate<string[]>(`(() => {
          const boxes = [...document.querySelectorAll(".map text")].map((text) => [text.textContent, text.getBoundingClientRect()]);
          return boxes.flatMap(([a, p], i) => boxes.slice(i + 1).filter(([, q]) =>
            p.left < q.right && q.left < p.right && p.top < q.bottom && q.top < p.bottom).map(([b]) => a + b));
        })()`);
      await open(query);
      expect(await covered()).toEqual([]);
      await button("Train").click();
      await button("Train again").waitFor();
      await page.waitForTimeout(300);
      expect(await covered()).toEqual([]);
      expect(await card("The characters").locator("text").count()).toBeGreaterThan(25);
      await page.setViewportSize({ width: 360, height: 740 });
      expect(await covered()).toEqual([]);
    },
  );

  /** Trains on an own list, and looks inside. */
  async function openOwn(list: string): Promise<void> {
    await page.goto(`${web.server.address}?steps=30&speed=max`);
    await page.getByText("A list of your own").click();
    await page.getByLabel("Or typed here").fill(list);
    await button("Take this text").click();
    await page.waitForURL(/list=own-/);
    await button("Train").click();
    await button("Train again").waitFor();
    await page.getByRole("link", { name: "Look inside", exact: true }).click();
    await page.locator(".views").waitFor();
  }

  test("words of Hebrew are read from the right, and the arrows go as they point", async () => {
    await openOwn("שלום\nמים\nלחם\nשמש\n");
    expect(await word().inputValue()).toBe("שלום");
    expect(await letters()).toEqual(["◂", "ש", "ל", "ו", "ם"]);
    const row = page.getByRole("group", { name: "Letters" });
    const places = await page.evaluate<number[]>(
      "[...document.querySelectorAll('.letters button')].map((button) => button.getBoundingClientRect().left)",
    );
    expect(places).toEqual(places.toSorted((a, b) => b - a));
    await row.locator("button").first().click();
    await page.keyboard.press("ArrowLeft");
    expect(await next().getByRole("heading").innerText()).toBe("What comes after ◂ש");
    expect(await next().locator("h2 bdi").getAttribute("dir")).toBe("rtl");
    await page.keyboard.press("ArrowRight");
    expect(await next().getByRole("heading").innerText()).toBe("What comes after ◂");
    expect(await button("Next letter").innerText()).toBe("←");
  });

  test("what cannot be seen has a sign and a name", async () => {
    await openOwn("a\u00adb\u200dc\nb a\u0301\nc\u00a0x\u0301\n");
    expect(await letters()).toEqual(["▸", "a", "SHY", "b", "ZWJ", "c"]);
    const named = (): Promise<string> => card("The word").locator(".unseen").innerText();
    expect(await named()).toBe("SHY is soft hyphen, U+00AD. ZWJ is zero-width joiner, U+200D.");
    await word().fill("x\u0301 \u00a0");
    await expectSoon(async () => (await letters()).join() === "▸,x,◌\u0301,␣,NBSP");
    expect(await named()).toBe("◌\u0301 is mark U+0301. ␣ is space. NBSP is no-break space, U+00A0.");
    expect(await card("The word").getByRole("button", { name: "mark U+0301" }).count()).toBe(1);
    expect(await likelihoodOf("soft hyphen, U+00AD")).toBeGreaterThan(0);
    expect(await web.faults()).toEqual([]);
  });

  test.each(["light", "dark"] as const)(
    "axe-core finds nothing, and a phone is wide enough: %s",
    async (colorScheme) => {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.setViewportSize({ width: 360, height: 740 });
      await open();
      expect(await web.faults()).toEqual([]);
      await train();
      await card("Write words").getByRole("button", { name: "Write words" }).click();
      await expectSoon(async () => (await card("Write words").locator(".samples li").count()) === 10);
      await card("What if").getByLabel("the MLP").check();
      await card("What if").getByRole("button").waitFor();
      expect(await web.faults()).toEqual([]);
      expect(await page.evaluate<number>("document.documentElement.scrollWidth")).toBe(360);
    },
  );
});
