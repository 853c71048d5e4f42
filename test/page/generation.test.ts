import type { Locator, Page } from "playwright-core";
import { DEFAULT_TRAINING } from "../../src/gpt/model/config";
import { Generator } from "../../src/gpt/model/generate";
import { Random, siblingSeed } from "../../src/gpt/model/random";
import { Trainer } from "../../src/gpt/training/trainer";
import { drawnModel, gaussians, shippedNames } from "../helpers";
import { atFullSpeed, describeInBrowser, expectSoon, PageInBrowser } from "../support/page";

/* A word letter by letter in the page: what may come, the random number, and the letter on which it falls. */

describeInBrowser("writing letter by letter in the page", () => {
  const web = new PageInBrowser();
  let page: Page;
  beforeEach(() => ({ page } = web));

  const button = (name: string): Locator => page.getByRole("button", { name, exact: true });
  const card = (): Locator => page.getByRole("region", { name: "Write words", exact: true });
  const choices = (): Locator => card().getByRole("list", { name: "Letters that may come: press one to take it" });
  const reading = (): Locator => card().locator(".reading");
  const written = (): Promise<string[]> => card().locator(".written li:not(.gap) .box").allInnerTexts();

  async function open(query = ""): Promise<void> {
    await page.goto(web.server.address + atFullSpeed(`${query}#inside`));
    await reading().filter({ hasText: "falls on" }).waitFor();
  }

  async function train(): Promise<void> {
    await button("Train").click();
    await button("Train again").waitFor();
    await page.getByText("Step 1,000 of 1,000").waitFor();
  }

  /** Sets the next letter, and waits for the draw after it. */
  async function oneLetter(): Promise<void> {
    const [{ length }, before] = [await written(), await reading().innerText()];
    await button("One letter").click();
    await expectSoon(async () => (await written()).length > length && (await reading().innerText()) !== before);
  }

  /** The share of each character on the bars, all of them shown. */
  async function shares(): Promise<Map<string, number>> {
    const all = await page.evaluate<[string, string][]>(`
      [...document.querySelectorAll(".choices button")].map((button) =>
        ["bdi", ".share"].map((part) => button.querySelector(part).textContent))`);
    return new Map(all.map(([character, share]) => [character, Number(/<?([\d.]+)%/.exec(share)?.[1]) / 100]));
  }

  /** What a sentence says: the number, the letter, and where its share begins and ends. */
  async function told(): Promise<{ number: number; letter: string; from: number; to: number }> {
    const [, number, letter, from, to] =
      /number ([\d.]+) falls on (.*), which reaches from ([\d.]+) to ([\d.]+)\./.exec(await reading().innerText()) ??
      [];
    return { number: Number(number), letter, from: Number(from), to: Number(to) };
  }

  test("a trained model's words are those of the Generator with the same random numbers", async () => {
    await open();
    await train();
    const model = drawnModel({}, "f32");
    const random = new Random(42);
    gaussians(random, model.parameters.length);
    const trainer = new Trainer(model, shippedNames(), random, DEFAULT_TRAINING);
    for (let step = 0; step < 1000; step++) trainer.step();
    const generator = new Generator(model, new Random(siblingSeed(42)));
    for (let i = 0; i < 2; i++) {
      const word = generator.name(0.8);
      for (let letter = 0; letter <= word.length; letter++) await oneLetter();
      expect(await written()).toEqual(["▸", ...Array.from(word), "end"]);
      expect(await card().locator(".words-so-far bdi").first().innerText()).toBe(word);
      expect(await button("One letter").isDisabled()).toBe(true);
      await button("New word").click();
      await reading().filter({ hasText: "falls on" }).waitFor();
    }
  });

  test("the number lies on the letter that is drawn, and the bars add up to where it begins", async () => {
    // The mark glides to its place otherwise.
    await page.emulateMedia({ reducedMotion: "reduce" });
    await open();
    await train();
    await card().getByLabel("all 27 bars").check();
    // The last steps may still be on their way to the bars.
    await expectSoon(async () => {
      const { from } = await told();
      await page.waitForTimeout(500);
      return (await told()).from === from;
    });
    for (let i = 0; i < 4; i++) {
      const { number, letter, from, to } = await told();
      const all = await shares();
      expect(all.size).toBe(27);
      let sum = 0;
      for (const [character, share] of all) {
        if (character === letter) break;
        sum += share;
      }
      expect(number).toBeGreaterThanOrEqual(from - 1e-4);
      expect(number).toBeLessThanOrEqual(to + 1e-4);
      // 27 shares that are rounded to a tenth of a percent.
      expect(Math.abs(sum - from)).toBeLessThan(0.02);
      expect(to - from).toBeCloseTo(all.get(letter) ?? NaN, 2);
      const [mark, segment, bar] = await Promise.all(
        [".mark", ".segment.drawn", ".cumulated"].map((part) => card().locator(part).boundingBox()),
      );
      if (!mark || !segment || !bar) throw new Error("the bar is not drawn");
      expect(Math.abs(mark.x + 1 - bar.x - number * bar.width)).toBeLessThan(4);
      expect(mark.x + 1).toBeGreaterThanOrEqual(segment.x - 2);
      expect(mark.x + 1).toBeLessThanOrEqual(segment.x + segment.width + 2);
      if ((await told()).letter === "end of the word") break;
      await oneLetter();
    }
  });

  test("temperature, top-k and top-p change the bars at once, under the same number", async () => {
    await open();
    await train();
    await card().getByLabel("all 27 bars").check();
    const { number } = await told();
    const warm = await shares();
    const largest = (all: Map<string, number>): number => Math.max(...all.values());
    await card().getByLabel("Temperature").fill("0.2");
    await expectSoon(async () => largest(await shares()) > largest(warm));
    expect((await told()).number).toBe(number);
    await card().getByLabel("top-k").fill("2");
    await expectSoon(async () => [...(await shares()).values()].filter((share) => share > 0).length === 2);
    await card().getByLabel("top-p").fill("0.01");
    await expectSoon(async () => largest(await shares()) === 1);
    await card().getByLabel("top-p").fill("7");
    await card().locator("#letter-refusal").filter({ hasText: "top-p must be a number from 0 to 1" }).waitFor();
    await card().getByLabel("top-p").fill("");
    await card().getByLabel("top-k").fill("");
    await card().getByLabel("Temperature").fill("0");
    await reading().filter({ hasText: "At temperature 0 no random number is drawn" }).waitFor();
    expect([...(await shares()).values()].filter((share) => share > 0)).toEqual([1]);
    expect(await card().locator(".mark").count()).toBe(0);
    expect(await card().locator(".segment").count()).toBe(1);
    expect(await card().locator("#letter-refusal").textContent()).toBe("");
  });

  test("another letter is taken by the keyboard, and the word goes on from there", async () => {
    await open();
    await train();
    await card().getByLabel("Begins with").fill("qu");
    await expectSoon(async () => (await written()).join("") === "▸qu");
    await card().getByLabel("all 27 bars").check();
    const other = (await told()).letter === "z" ? "x" : "z";
    await choices()
      .getByRole("button", { name: new RegExp(`^${other} ?,`) })
      .press("Enter");
    await expectSoon(async () => (await written()).join("") === `▸qu${other}`);
    expect(await card().locator(".written .chosen").innerText()).toContain(other);
    await card()
      .getByRole("status")
      .filter({ hasText: `${other} was chosen` })
      .waitFor({ state: "attached" });
    await oneLetter();
    expect((await written()).join("").startsWith(`▸qu${other}`)).toBe(true);
    // The end can be chosen too.
    await choices()
      .getByRole("button", { name: /^end of the word ?,/ })
      .click();
    await reading().filter({ hasText: "The word has ended" }).waitFor();
    expect((await written()).at(-1)).toBe("end");
  });

  test("it plays to the end of a word, pauses, and goes on with another", async () => {
    await open();
    await train();
    await button("Play").click();
    await expectSoon(async () => (await written()).length > 1);
    await button("Pause writing").click();
    const paused = await written();
    await page.waitForTimeout(1500);
    expect(await written()).toEqual(paused);
    await button("Play").click();
    await reading().filter({ hasText: "The word has ended" }).waitFor();
    expect((await written()).at(-1)).toBe("end");
    await button("Play").click();
    await expectSoon(async () => (await written()).length === 2);
    await button("Pause writing").click();
  });

  test("bars follow a training that goes on, and a word of the maximum length ends", async () => {
    await open("?speed=20&block_size=4");
    await card().getByLabel("all 27 bars").check();
    const seen = new Set<string>();
    await button("Train").click();
    await expectSoon(async () => seen.add(JSON.stringify([...(await shares())])).size > 5);
    await button("Pause").click();
    await button("Resume").waitFor();
    for (let i = 0; i < 3; i++) {
      const { length } = await written();
      await choices().getByRole("button", { name: /^a ?,/ }).click();
      await expectSoon(async () => (await written()).length > length);
    }
    await reading().filter({ hasText: "as long as the model can look back" }).waitFor();
    await oneLetter();
    expect(await written()).toEqual(["▸", "a", "a", "a", "end"]);
  });

  test("those who want no motion see none, also while it plays", async () => {
    await page.emulateMedia({ reducedMotion: "reduce" });
    await open();
    await train();
    await button("Play").click();
    await expectSoon(async () => (await written()).length > 1);
    expect(await page.evaluate("document.getAnimations().length")).toBe(0);
    await page.emulateMedia({ reducedMotion: "reduce", forcedColors: "active" });
    const colours = await page.evaluate<string[]>(
      `[".segment.drawn", ".segment:not(.drawn)", ".mark"].map((part) => getComputedStyle(document.querySelector(part)).backgroundColor)`,
    );
    expect(new Set(colours).size).toBe(3);
  });
});
