import type { Locator, Page } from "playwright-core";
import { describeInBrowser, expectSoon, PageInBrowser } from "../support/page";

/* Own words in the page's training, as a board is taught them. */

describeInBrowser("own words in the page", () => {
  const web = new PageInBrowser();
  let page: Page;
  beforeEach(() => ({ page } = web));

  const SMALL = "?list=names&n_embd=8&n_head=2&steps=2000";

  const card = (): Locator => page.getByRole("region", { name: "Your own words" });
  const words = (): Promise<string[]> => card().locator("tbody th").allInnerTexts();
  const loss = async (row = 0): Promise<number> =>
    Number(await card().locator("tbody td:nth-child(2)").nth(row).innerText());
  const message = (text: string | RegExp): Locator => card().getByRole("status").filter({ hasText: text });
  const press = (name: string): Promise<void> => page.getByRole("button", { name, exact: true }).click();
  const trained = (): Promise<void> => page.getByRole("button", { name: "Train again" }).waitFor();

  async function teach(text: string): Promise<void> {
    await card().getByLabel("Words, one per line").fill(text);
    await card().getByRole("button", { name: "Teach" }).click();
  }

  test("are added, and those that are refused are told with the reason", async () => {
    await web.visit(SMALL);
    expect(await words()).toEqual([]);
    await teach("zephyrine\r\n\n  quillan \nzephyrine\n");
    await message("2 of 2 words were taken.").waitFor();
    expect(await card().getByLabel("Words, one per line").inputValue()).toBe("");
    await expectSoon(async () => (await words()).length === 2);
    expect(await words()).toEqual(["zephyrine", "quillan"]);
    // An untrained model guesses among 27 tokens.
    expect(Math.abs((await loss()) - Math.log(27))).toBeLessThan(0.3);
    await teach("quillan\nNo-Word\nwrenna");
    await message(/^1 of 3 words were taken\. quillan: "quillan" is one of your words already\. No-Word: /).waitFor();
    await teach("");
    await message("There are no words to teach").waitFor();
    expect(await web.faults()).toEqual([]);
  });

  test("are learnt beside the list: their loss falls further than without them", async () => {
    const word = "zyxqzyxq";
    await web.visit(SMALL);
    await teach(word);
    await expectSoon(async () => (await words()).length === 1);
    await press("Train");
    await trained();
    await expectSoon(async () => (await loss()) < 1);
    const learnt = await loss();
    // The same training without it, which is then told how surprising it finds the word.
    await web.open();
    ({ page } = web);
    await web.visit(SMALL);
    await press("Train");
    await trained();
    await teach(word);
    await expectSoon(async () => (await words()).length === 1);
    expect(await loss()).toBeGreaterThan(learnt + 2);
  });

  test("are forgotten one by one", async () => {
    await web.visit(SMALL);
    await teach("alderic\nbrunella\ncorvina");
    await expectSoon(async () => (await words()).length === 3);
    await page.getByRole("button", { name: "Forget brunella" }).click();
    await expectSoon(async () => (await words()).length === 2);
    expect(await words()).toEqual(["alderic", "corvina"]);
  });

  test("survive a reload, and another seed of the same list", async () => {
    await web.visit(SMALL);
    await teach("alderic\nbrunella");
    await expectSoon(async () => (await words()).length === 2);
    await web.visit(SMALL);
    await expectSoon(async () => (await words()).length === 2);
    expect(await words()).toEqual(["alderic", "brunella"]);
    await press("Train");
    await trained();
    await press("Another seed");
    await expectSoon(() => page.url().includes("seed=43"));
    await expectSoon(async () => (await words()).length === 2);
    await web.visit(`${SMALL}&seed=43`);
    await expectSoon(async () => (await words()).length === 2);
    expect(await words()).toEqual(["alderic", "brunella"]);
  });

  test("survive a training that begins again", async () => {
    const slow = `${SMALL}&speed=2000`;
    await web.visit(slow);
    await teach("alderic\nbrunella");
    await expectSoon(async () => (await words()).length === 2);
    const pause = page.getByRole("button", { name: "Pause", exact: true });
    for (const name of ["Train", "Train again"]) {
      await press(name);
      await pause.waitFor();
      await trained();
      expect(await words()).toEqual(["alderic", "brunella"]);
    }
    await web.visit(slow);
    await expectSoon(async () => (await words()).length === 2);
  });

  test("of another list are not taken along", async () => {
    await web.visit(SMALL);
    await teach("alderic");
    await expectSoon(async () => (await words()).length === 1);
    await web.visit("?list=dinosaurs&n_embd=8&n_head=2&steps=2000");
    expect(await words()).toEqual([]);
  });

  test("are on a small screen as well", async () => {
    await page.setViewportSize({ width: 320, height: 640 });
    await web.visit(`${SMALL}&block_size=48`);
    await teach(`a${"bcdefghij".repeat(4)}\nal`);
    await expectSoon(async () => (await words()).length === 2);
    await expectSoon(async () => (await page.evaluate<number>("document.documentElement.scrollWidth")) <= 320);
  });
});
