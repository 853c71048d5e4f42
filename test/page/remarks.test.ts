import type { Page } from "playwright-core";
import { describeInBrowser, expectSoon, PageInBrowser } from "../support/page";

/* What the page says of a training that teaches less than one thinks. */

describeInBrowser("the page says", () => {
  const web = new PageInBrowser();
  let page: Page;
  beforeEach(() => ({ page } = web));

  const open = (address?: string): Promise<void> => web.visit(address);

  const button = (name: string) => page.getByRole("button", { name, exact: true });
  const remark = (text: string | RegExp) => page.locator(".remark", { hasText: text });

  async function train(): Promise<void> {
    await button("Train").click();
    await button("Train again").waitFor();
  }

  async function takeText(text: string): Promise<void> {
    await page.getByText("A list of your own").click();
    await page.getByLabel("Or typed here").fill(text);
    await button("Take this text").click();
  }

  test("how many words are too long, before it trains", async () => {
    await open("?block_size=5");
    await takeText("ann\nbob\neve\nannabella\n");
    await remark(
      /^1 of 4 names \(25 %\) are too long for block_size 5, .* block_size 10 takes all of them\.$/,
    ).waitFor();
  });

  test("what a list has that one may not want, once", async () => {
    await open();
    await takeText("née\nzoé\nrene\u0301\nc\u200by\n");
    await remark(/^your text, line 3: "é" is written as a letter and a mark there/).waitFor();
    expect(await remark(/^your text, line 4: U\+200B cannot be seen/).count()).toBe(1);
    await train();
    expect(await remark("your text, line").count()).toBe(2);
  });

  test("nothing against a letter in another form of Unicode, to look at and to begin with", async () => {
    await open("?steps=20");
    await takeText("née\nzoé\nana\n");
    await train();
    await page.getByRole("link", { name: "Inside" }).or(page.locator('a[href="#inside"]')).first().click();
    await page.getByLabel("A word to look at").fill("ne\u0301");
    const letters = page.getByRole("group", { name: "Letters" }).locator("button");
    await expectSoon(async () => (await letters.allInnerTexts()).join() === "▸,n,é");
    const form = page.getByRole("region", { name: "Write words", exact: true });
    await form.getByLabel("Begins with").fill("ze\u0301");
    await form.getByRole("button", { name: "Write words" }).click();
    await form.locator(".samples li").first().waitFor();
    for (const word of await form.locator(".samples bdi").allInnerTexts()) expect(word).toMatch(/^z\u00e9/);
    expect((await form.locator("[role=alert]").allTextContents()).join("")).toBe("");
  });

  test("that a model is not learning, and writes its words all the same", async () => {
    await open("?list=dinosaurs&steps=300&learning_rate=0.3");
    await train();
    await remark(
      /^The model is not learning: after 300 steps .* a learning rate of 0\.01 \(it was 0\.3\)\.$/,
    ).waitFor();
    expect(await remark("The model is not learning").count()).toBe(2);
    await page.locator(".names li:nth-child(20)").waitFor();
    expect(await page.locator(".names .tag").count()).toBe(20);
  });

  test("of a word without a letter that it is empty, neither known nor new", async () => {
    await open("?block_size=3&n_embd=4&n_head=1&steps=200");
    await takeText("a\nb\na\nab\n");
    await train();
    await page.getByText("after 200 steps").waitFor();
    const words = await page.locator(".samples li").evaluateAll(textsOf);
    expect(words.map(({ word }) => word)).toContain("(nothing)");
    for (const { list, word, tag } of words) {
      const kind = list.includes("untrained") ? undefined : ["a", "b", "ab"].includes(word) ? "known" : "new";
      expect(tag).toBe(word === "(nothing)" ? "empty" : kind);
    }
    expect(await web.faults()).toEqual([]);
  });
});

interface Element {
  readonly textContent: string;
  readonly className: string;
  readonly parentElement: Element;
  querySelector(selector: string): Element | null;
}

/** A function of the page: the words of a list as it shows them. */
function textsOf(items: unknown[]): { list: string; word: string; tag: string | undefined }[] {
  return (items as Element[]).map((item) => ({
    list: item.parentElement.className,
    word: item.querySelector("bdi")?.textContent ?? "",
    tag: item.querySelector(".tag")?.textContent,
  }));
}
