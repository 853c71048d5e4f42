import { readFileSync } from "node:fs";
import type { Locator, Page } from "playwright-core";
import { createTrainer } from "../../src/gpt/create-trainer";
import { Dataset } from "../../src/gpt/data/dataset";
import type { Model } from "../../src/gpt/model/model";
import { drawnModel, lossOf, shippedNames } from "../helpers";
import { pairCostOf } from "../support/pair-cost";
import { describeInBrowser, expectSoon, PageInBrowser } from "../support/page";

/* The first ten seconds: what one sees without scrolling, and what the training is compared with. */

const LISTS = ["Names", "Dinosaurs", "Minerals", "German towns", "Japanese words", "A list of your own"];

/** A word as the page shows it. */
interface Shown {
  readonly word: string;
  readonly bits: number;
}

describeInBrowser("the first view", () => {
  const web = new PageInBrowser();
  let page: Page;
  beforeEach(() => ({ page } = web));

  const button = (name: string) => page.getByRole("button", { name, exact: true });
  const card = (name: string) => page.locator(".list-cards button", { hasText: name });
  const chart = () => page.locator(".chart");
  const legend = (): Promise<string> => page.locator(".u-legend").innerText();
  const note = (text: string) => page.locator(".note", { hasText: text });
  const stepIs = (shown: RegExp): Promise<void> =>
    page.locator(".figures div:first-child dd", { hasText: shown }).waitFor();
  const wordsOf = (list: string): Promise<string[]> => page.locator(`.${list} bdi`).allTextContents();

  async function train(): Promise<void> {
    await button("Train").click();
    await button("Train again").waitFor();
  }

  async function shownIn(list: string): Promise<Shown[]> {
    const texts = await page.locator(`.${list} li`).allInnerTexts();
    return texts.map((text) => {
      const [, word, bits] = /^(.*?)\s+([\d.]+)\s*bits a letter/.exec(text) ?? [];
      return { word: word === "(nothing)" ? "" : word, bits: Number(bits) };
    });
  }

  describe.each([
    ["a laptop", { width: 1366, height: 768 }, false],
    ["a phone", { width: 390, height: 844 }, true],
  ] as const)("on %s", (_, viewport, isPhone) => {
    async function expectInView(what: Locator): Promise<void> {
      const box = await what.boundingBox();
      if (!box) throw new Error("it is not shown");
      expect(box.x).toBeGreaterThanOrEqual(0);
      expect(box.y).toBeGreaterThanOrEqual(0);
      expect(box.x + box.width).toBeLessThanOrEqual(viewport.width);
      expect(box.y + box.height).toBeLessThanOrEqual(viewport.height);
    }

    test("all that a training is, is in view without scrolling, before and while it trains", async () => {
      await web.open({ viewport, isMobile: isPhone, hasTouch: isPhone });
      ({ page } = web);
      await page.goto(web.server.address);
      await page.locator(".now li:nth-child(10)").waitFor();
      const look = async (): Promise<void> => {
        await expectInView(page.locator("header p"));
        await expectInView(page.locator("button.primary"));
        await expectInView(page.getByLabel("Speed"));
        await expectInView(page.locator(".chart canvas"));
        for (const list of ["untrained", "now"])
          for (const item of ["first-child", "last-child"]) await expectInView(page.locator(`.${list} li:${item}`));
        for (const name of isPhone ? ["Names"] : LISTS) await expectInView(card(name));
      };
      await look();
      expect((await page.locator("header p").innerText()).match(/\./g)).toHaveLength(1);
      const tops = await Promise.all(LISTS.map(async (name) => (await card(name).boundingBox())?.y));
      expect(new Set(tops).size).toBe(1);
      const settings = await page.locator(".settings").boundingBox();
      expect(settings?.y).toBeGreaterThan((await page.locator(".chart").boundingBox())?.y ?? Infinity);
      expect(await page.getByLabel("n_embd").isVisible()).toBe(false);
      await button("Train").click();
      await page.getByText(/^after \d+ steps?$/).waitFor();
      await look();
      // The other cards are reached by scrolling the row alone.
      await card("A list of your own").click();
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(viewport.width);
    });
  });

  test("each list has a card with three of its words, and a list of one's own shows its first", async () => {
    await web.visit("?steps=5");
    for (const name of LISTS.slice(0, -1)) expect(await card(name).locator("bdi").count()).toBe(3);
    await card("A list of your own").click();
    await page.getByLabel("Or typed here").fill("mercury\nvenus\nearth\nmars\n");
    await button("Take this text").click();
    const own = page.locator(".list-cards [aria-pressed=true]", { hasText: "A list of your own" });
    await own.locator("bdi:nth-child(3)").waitFor();
    expect(await own.locator("bdi").allTextContents()).toEqual(["mercury", "venus", "earth"]);
    await card("Minerals").click();
    await page.waitForURL(/list=minerals/);
    expect(await page.locator(".list-cards [aria-pressed=true]").innerText()).toMatch(/^Minerals/);
    // One that is chosen already is not chosen anew, with the settings of its list.
    await web.openSettings();
    await page.getByLabel("n_embd").fill("8");
    await page.waitForURL(/n_embd=8/);
    await card("Minerals").click();
    await train();
    expect(page.url()).toContain("n_embd=8");
  });

  test.each([
    ["?list=names", "data/names.txt", "names", 0],
    ["?list=names&preset=tuned", "data/names.txt", "tokens", 0],
    ["?list=dinosaurs&preset=tuned&holdout=10", "web/lists/dinosaurs.txt", "tokens", 10],
    ["?list=hiragana&holdout=20", "web/lists/hiragana.txt", "names", 20],
  ] as const)(
    "%s: the two lines are where guessing blindly and counting pairs are",
    async (address, file, weighs, holdout) => {
      await web.visit(address);
      const dataset = new Dataset(readFileSync(file), file);
      const words = readFileSync(file, "utf8").trimEnd().split("\n");
      const characters = new Set(words.join("")).size;
      const held = holdout > 0 ? createTrainer({ dataset, training: { holdout } }).holdout : undefined;
      const pairs = pairCostOf(
        words.filter((_, i) => !held?.has(i)),
        characters,
        weighs,
      );
      await page
        .getByRole("img", {
          name:
            `Guessing blindly: ${Math.log(characters + 1).toFixed(2)}. ` +
            `Counting pairs of letters: ${pairs.toFixed(2)}.`,
        })
        .waitFor();
    },
  );

  test("the axis has all steps and the lines their labels from the first step on", async () => {
    await page.addInitScript(recordTexts());
    await web.visit();
    const drawn = (): Promise<string[]> => page.evaluate<string[]>("globalThis.texts.splice(0)");
    await page.getByRole("img", { name: /Counting pairs/ }).waitFor();
    for (const step of ["1", "2"]) {
      await drawn();
      await button("One step").click();
      await stepIs(new RegExp(`^${step} `));
      const texts = new Set<string>();
      const labels = ["0", "1,000", "Guessing blindly: 3.30", "Counting pairs of letters: 2.46"];
      await expectSoon(async () => {
        for (const text of await drawn()) texts.add(text);
        return labels.every((label) => texts.has(label));
      });
    }
  });

  test.each(["", "&dtype=i32", "&preset=tuned&dtype=f64"])(
    "names%s: the words of now are replaced, those of the untrained model stay, also over a reload",
    async (options) => {
      await web.visit(`?list=names&steps=40${options}`);
      await page.locator(".now li:nth-child(10)").waitFor();
      const noise = await wordsOf("untrained");
      expect(noise).toHaveLength(10);
      // Nothing has been learnt: the same weights and the same random numbers.
      expect(await wordsOf("now")).toEqual(noise);
      await train();
      await page.getByText("after 40 steps").waitFor();
      const learnt = await wordsOf("now");
      expect(learnt).toHaveLength(10);
      expect(learnt).not.toEqual(noise);
      expect(await wordsOf("untrained")).toEqual(noise);
      await page.reload();
      await page.getByText("after 40 steps").waitFor();
      expect(await wordsOf("untrained")).toEqual(noise);
      expect(await wordsOf("now")).not.toEqual(noise);
    },
  );

  test("the words of now are new ones as it trains, in the same places", async () => {
    await page.goto(`${web.server.address}?steps=2000`);
    await button("Train").click();
    const seen = new Set<string>();
    await expectSoon(async () => {
      seen.add((await wordsOf("now")).join());
      return seen.size > 4;
    });
    expect(await page.locator(".now li").count()).toBe(10);
  });

  test("how probable a word is, is what its model says", async () => {
    await web.visit("?steps=100");
    await train();
    await page.getByText("after 100 steps").waitFor();
    const trainer = createTrainer({ dataset: shippedNames(), training: { steps: 100 } });
    while (!trainer.isOver) trainer.step();
    const expectBits = (words: readonly Shown[], model: Model): void => {
      for (const { word, bits } of words)
        expect(Math.abs(bits - lossOf(model, word) / Math.LN2)).toBeLessThanOrEqual(0.051);
    };
    const [noise, learnt, last] = await Promise.all(["untrained", "now", "names"].map(shownIn));
    expectBits(noise, drawnModel({}, "f32"));
    expectBits(learnt, trainer.model);
    expectBits(last, trainer.model);
    expect([noise, learnt, last].map(({ length }) => length)).toEqual([10, 10, 20]);
    const mean = (words: readonly Shown[]): number => words.reduce((sum, { bits }) => sum + bits, 0) / words.length;
    expect(mean(learnt)).toBeLessThan(mean(noise) - 0.3);
  });

  test("a run that is not over is not thrown away for another seed before one is asked", async () => {
    await web.visit("?steps=50");
    await button("One step").click();
    await stepIs(/^1 /);
    await button("Another seed").click();
    const question = page.getByRole("group", { name: "This run is not over" });
    expect(await question.innerText()).toMatch(/^This run is at step 1 of 50\. Throw it away\?/);
    await button("Keep it").and(page.locator(":focus")).press("Enter");
    await question.waitFor({ state: "detached" });
    await button("Resume").waitFor();
    await stepIs(/^1 /);
    expect(page.url()).not.toContain("seed");
    await button("Another seed").click();
    await button("Begin anew").click();
    await page.waitForURL(/seed=43/);
    await button("Train again").waitFor();
    await button("Another seed").click();
    await page.waitForURL(/seed=44/);
    expect(await question.count()).toBe(0);
  });

  test("what is changed while it trains waits, and says so", async () => {
    await web.visit("?speed=5");
    await button("Train").click();
    await stepIs(/^[1-9]/);
    await card("Japanese words").click();
    await note("waits while this run goes on").waitFor();
    await stepIs(/ of 1,000$/);
    await button("Pause").click();
    await note("waits for “Train anew”").waitFor();
    expect(await button("Resume").count()).toBe(0);
    await card("Names").click();
    await button("Resume").click();
    await button("Pause").waitFor();
    await web.openSettings();
    await page.getByLabel("number of steps").fill("30");
    await note("waits while this run goes on").getByRole("button", { name: "Train anew" }).click();
    await stepIs(/ of 30$/);
    await page.locator(".note").first().waitFor({ state: "hidden" });
  });

  test("earlier curves are two of the same list at most, and can be cleared", async () => {
    await web.visit("?steps=20");
    await train();
    for (const seed of [43, 44, 45]) {
      await button("Another seed").click();
      await page.waitForURL(new RegExp(`seed=${seed}`));
      await button("Train again").waitFor();
    }
    expect(await legend()).toMatch(/earlier: names, seed 43[^]*earlier: names, seed 44/);
    expect(await legend()).not.toMatch(/seed 42/);
    await button("Clear earlier curves").click();
    await button("Clear earlier curves").waitFor({ state: "detached" });
    await expectSoon(async () => !(await legend()).includes("earlier"));
    await button("Another seed").click();
    await page.waitForURL(/seed=46/);
    await expectSoon(async () => (await legend()).includes("earlier: names, seed 45"));
    await button("Train again").waitFor();
    await card("Minerals").click();
    await button("Train anew").click();
    await page.waitForURL(/list=minerals/);
    await stepIs(/ of 1,000$/);
    await page.locator(".u-legend", { hasText: "validation" }).waitFor();
    expect(await legend()).not.toMatch(/earlier/);
  });

  test("where it is hardly better than counting, the recipe that learns more is one button away", async () => {
    await web.visit();
    await train();
    await button("Train with “learns more”").click();
    await page.waitForURL(/preset=tuned&steps=1000/);
    await stepIs(/^1,000 of/);
    await button("Train again").waitFor();
    await page.locator(".names li:nth-child(20)").waitFor();
    expect(await button("Train with “learns more”").count()).toBe(0);
    const [, smoothed, pairs] =
      /to (\d\.\d\d), smoothed.*pairs of letters: (\d\.\d\d)\.$/.exec(
        (await chart().getAttribute("aria-label")) ?? "",
      ) ?? [];
    expect(Number(smoothed)).toBeLessThan(Number(pairs) - 0.15);
  });

  test("settings have plain names before their own, and recipes are named by what they do", async () => {
    await web.visit();
    await web.openSettings();
    for (const [plain, name] of [
      ["width of the model", "n_embd"],
      ["layers", "n_layer"],
      ["number of steps", "steps"],
      ["words held out, in %", "holdout"],
    ])
      expect(await page.getByRole("spinbutton", { name: `${plain} ${name}` }).getAttribute("name")).toBe(name);
    const recipe = page.getByLabel("recipe preset");
    expect(await recipe.locator("option").allTextContents()).toEqual([
      "the chip’s (esp32gpt)",
      "learns more (tuned)",
      "Karpathy’s (microgpt)",
    ]);
    await recipe.selectOption("learns more (tuned)");
    await page.waitForURL(/preset=tuned/);
  });

  test("it trains to its end where nothing is drawn, as in a hidden window", async () => {
    await page.addInitScript("globalThis.requestAnimationFrame = () => 0");
    await page.goto(`${web.server.address}?steps=60&speed=50`);
    await button("Train").click();
    await button("Train again").waitFor();
    await page.locator(".names li:nth-child(20)").waitFor();
  });
});

/** Records every text that is drawn on a canvas. */
function recordTexts(): string {
  return `{
    globalThis.texts = [];
    const { fillText } = CanvasRenderingContext2D.prototype;
    CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
      globalThis.texts.push(String(text));
      return fillText.call(this, text, ...place);
    };
  }`;
}
