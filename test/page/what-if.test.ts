import type { Locator, Page } from "playwright-core";
import { DEFAULT_TRAINING } from "../../src/gpt/model/config";
import { Random } from "../../src/gpt/model/random";
import { Trainer } from "../../src/gpt/training/trainer";
import { askWhatIf } from "../../web/worker/what-if";
import { drawnModel, gaussians, shippedNames } from "../helpers";
import { atFullSpeed, describeInBrowser, expectSoon, PageInBrowser } from "../support/page";

/* What if a part were missing: the page measures the model with and without it. */

describeInBrowser("what if a part were missing, in the page", () => {
  const web = new PageInBrowser();
  let page: Page;
  beforeEach(() => ({ page } = web));

  const button = (name: string): Locator => page.getByRole("button", { name, exact: true });
  const card = (): Locator => page.getByRole("region", { name: "What if", exact: true });
  const told = (): Promise<string> => card().getByRole("status").innerText();
  const words = (column: number): Promise<string[]> =>
    card().locator(".columns > div").nth(column).locator("bdi").allInnerTexts();

  async function open(query = ""): Promise<void> {
    await page.goto(web.server.address + atFullSpeed(`${query}#inside`));
    await card().waitFor();
  }

  async function train(): Promise<void> {
    await button("Train").click();
    await button("Train again").waitFor();
  }

  test("its figures and words are those of the library, for parts that are combined", async () => {
    await open("?steps=300");
    await train();
    const model = drawnModel({}, "f32");
    const random = new Random(42);
    gaussians(random, model.parameters.length);
    const trainer = new Trainer(model, shippedNames(), random, { ...DEFAULT_TRAINING, steps: 300 });
    for (let step = 0; step < 300; step++) trainer.step();
    const clock = { now: () => performance.now(), schedule: (slice: () => void) => void setImmediate(slice) };
    const ask = (parts: object) =>
      askWhatIf(
        trainer,
        { heads: [], mlps: [], positions: false, distances: false, ...parts },
        { clock, seed: 42, temperature: 0.8 },
      );
    const compare = async (title: string, parts: object): Promise<void> => {
      const { whole, without } = await ask(parts);
      await card().getByText(`without ${title}, the loss is`).waitFor();
      expect(await told()).toMatch(
        `At step 300, without ${title}, the loss is ${without.loss.toFixed(3)} instead of ${whole.loss.toFixed(3)}:`,
      );
      expect(await words(0)).toEqual(whole.words.map((word) => word || "(nothing)"));
      expect(await words(1)).toEqual(without.words.map((word) => word || "(nothing)"));
    };
    await card().getByLabel("the MLP").check();
    await compare("the MLP", { mlps: [0] });
    await card().getByLabel("head 3").check();
    await card().getByLabel("positions").check();
    await compare("head 3, the MLP, positions", { heads: [{ layer: 0, head: 2 }], mlps: [0], positions: true });
    expect(await card().innerText()).toContain("Measured on 200 words of the list itself, as none are held out");
    for (const part of ["head 3", "positions", "the MLP"]) await card().getByLabel(part).uncheck();
    await card().getByText("Tick a part to compare.").waitFor();
  });

  test("with words held out the whole model's loss is the validation loss, in every layer and for distances", async () => {
    await open("?list=dinosaurs&preset=tuned&steps=100&holdout=10&n_layer=2&n_head=2");
    await train();
    await card().getByLabel("Layer").selectOption("2 of 2");
    await card().getByLabel("head 1").check();
    await card().getByLabel("distances").check();
    await expectSoon(async () =>
      (await card().locator("h3").allInnerTexts()).join().includes("Without distances, head 1 of layer 2"),
    );
    expect(await card().innerText()).toMatch(/Measured on \d+ words that it has never trained on\./);
    const [, whole] = /instead of ([\d.]+):/.exec(await told()) ?? [];
    await page.getByRole("link", { name: "Train here" }).click();
    const validation = page.locator("dt", { hasText: "validation" }).locator("xpath=following-sibling::dd");
    expect(Math.abs(Number(await validation.innerText()) - Number(whole))).toBeLessThan(0.00051);
  });

  test("a training that goes on meanwhile gives the names that it gives alone", async () => {
    const lastNames = async (): Promise<string[]> => {
      await page.getByRole("link", { name: "Train here" }).click();
      // The card of what-if has lists of words as well.
      const names = page.getByRole("region", { name: "What it writes" }).locator(".names");
      await names.locator("li:nth-child(20)").waitFor();
      return names.locator("bdi").allInnerTexts();
    };
    await open("?steps=3000");
    await train();
    const alone = await lastNames();
    await page.evaluate(
      "indexedDB.databases().then((all) => all.forEach(({ name }) => indexedDB.deleteDatabase(name)))",
    );
    await web.open();
    ({ page } = web);
    await open("?steps=3000&speed=1000");
    await button("Train").click();
    const steps = new Set<string>();
    await card().getByLabel("the MLP").check();
    await expectSoon(async () => {
      if (await card().getByRole("button", { name: "Measure again" }).isVisible()) {
        steps.add(/At step [\d,]+/.exec(await told())?.[0] ?? "");
        await card().getByRole("button", { name: "Measure again" }).click();
      }
      return steps.size > 2;
    });
    await page.getByLabel("Speed").press("End");
    await button("Train again").waitFor();
    expect(await lastNames()).toEqual(alone);
  });

  test("several parts ticked in a row are measured together in the end, and another training begins anew", async () => {
    await open("?n_embd=64&steps=10");
    await train();
    for (const part of ["head 1", "head 2", "head 3", "head 4", "the MLP"]) await card().getByLabel(part).check();
    await expectSoon(async () =>
      (await card().locator("h3").allInnerTexts()).join().includes("Without head 1, head 2, head 3, head 4, the MLP"),
    );
    await button("Another seed").click();
    await page.waitForURL(/seed=43/);
    await card().getByText("Tick a part to compare.").waitFor();
    expect(await card().getByRole("checkbox", { checked: true }).count()).toBe(0);
    expect(await card().locator("[role=alert]").textContent()).toBe("");
  });

  test("in i32 too", async () => {
    await open("?list=dinosaurs&steps=20&dtype=i32&n_embd=8&n_head=2&block_size=12");
    await train();
    await card().getByLabel("head 2").check();
    await card()
      .getByText(/without head 2, the loss is \d\.\d{3} instead of \d\.\d{3}/)
      .waitFor();
    expect(await words(1)).toHaveLength(10);
  });

  test("the worker answers while it measures, in the middle of a training", async () => {
    await open("?n_embd=128&n_layer=4");
    const writing = page.getByRole("region", { name: "Write words", exact: true });
    await button("Train").click();
    await card().getByLabel("the MLP").check();
    const isBusy = (): Promise<boolean> => card().locator("[aria-busy=true]").isVisible();
    expect(await isBusy()).toBe(true);
    await button("One letter").click();
    await expectSoon(async () => (await writing.locator(".written .drawn").count()) === 1);
    expect(await isBusy()).toBe(true);
    await button("Pause").click();
    await button("Resume").waitFor();
    await card().getByRole("button", { name: "Measure again" }).waitFor();
    expect(await isBusy()).toBe(false);
  });
});
