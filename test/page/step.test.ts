import { readFileSync } from "node:fs";
import type { Locator, Page } from "playwright-core";
import { DEFAULT_MODEL, trainingConfig } from "../../src/gpt/model/config";
import { Model } from "../../src/gpt/model/model";
import { drawParameters } from "../../src/gpt/model/parameters";
import { Random } from "../../src/gpt/model/random";
import { typescriptOps } from "../../src/gpt/model/typescript-ops";
import { Trainer } from "../../src/gpt/training/trainer";
import { shippedNames } from "../helpers";
import { atFullSpeed, describeInBrowser, expectSoon, PageInBrowser } from "../support/page";

/* The walk through one step: its arithmetic is read off the page and computed again. */

const TITLES = ["Tokens", "Embedding", "Attention", "Residual", "MLP", "Loss", "Gradients", "Adam", "Again"];

describeInBrowser("one step in the page", () => {
  const web = new PageInBrowser();
  let page: Page;
  beforeEach(() => ({ page } = web));

  const press = (key: string): Promise<void> => page.keyboard.press(key);
  const button = (name: string | RegExp): Locator => page.getByRole("button", { name, exact: true });
  const card = (): Locator => page.getByRole("region", { name: "One step" });
  const title = (): Locator => page.locator(".walk h3");

  async function open(query = ""): Promise<void> {
    await page.goto(web.server.address + atFullSpeed(`${query}#step`));
    await page.getByRole("region", { name: "One step" }).waitFor();
  }

  /** Begins the walk, by a key. */
  async function enter(query = ""): Promise<void> {
    await open(query);
    await press("ArrowRight");
    await page.locator(".walk").waitFor();
  }

  const goTo = (picture: string): Promise<void> =>
    page.getByRole("navigation", { name: "Pictures" }).getByRole("button", { name: picture }).click();

  /** The numbers in a part of the page, with all their digits. */
  const numbers = (part: Locator): Promise<number[]> =>
    part.locator("data").evaluateAll((all) => all.map((data) => Number((data as unknown as { value: string }).value)));

  const number = async (id: string): Promise<number> => Number(await page.locator(`#${id}`).getAttribute("value"));

  /** The rows of numbers under a picture's squares, by name. */
  async function rows(label: string): Promise<Map<string, number[]>> {
    const part = page.locator(".heat-rows", { has: page.getByRole("img", { name: `${label}: ` }) });
    await part.locator("summary").click();
    await part.locator("tr").first().waitFor();
    const found = new Map<string, number[]>();
    for (const row of await part.locator("tr").all())
      found.set(await row.locator("th").innerText(), await numbers(row));
    return found;
  }

  const isPaused = async (): Promise<void> => {
    await page.getByRole("link", { name: "Train here" }).click();
    await button("Resume").waitFor();
  };

  async function losses(): Promise<number[]> {
    const [download] = await Promise.all([page.waitForEvent("download"), button("Download the losses").click()]);
    const [, ...lines] = readFileSync(await download.path(), "utf8")
      .trimEnd()
      .split("\n");
    return lines.map((line) => Number(line.split(",")[1]));
  }

  /** Holds the Adam picture to the formula: with these numbers, this is the new weight. */
  async function expectAdam(isInteger = false): Promise<void> {
    const [g, m0, v0, w0] = await Promise.all(
      ["adam-g", "adam-m-before", "adam-v-before", "adam-w-before"].map(number),
    );
    const [beta1, beta2, epsilon, alpha, t] = await Promise.all(
      ["adam-beta1", "adam-beta2", "adam-epsilon", "adam-rate", "adam-t"].map(number),
    );
    expect([beta1, beta2, epsilon]).toEqual([0.85, 0.99, 1e-8]);
    const m = beta1 * m0 + (1 - beta1) * g;
    const v = beta2 * v0 + (1 - beta2) * g * g;
    const w = w0 - (alpha * (m / (1 - beta1 ** t))) / (Math.sqrt(v / (1 - beta2 ** t)) + epsilon);
    // Singles have 24 bits; in i32, v has 11.
    const error = isInteger ? 2e-3 : 1e-6;
    const expectNear = async (id: string, wanted: number): Promise<void> =>
      expect(Math.abs((await number(id)) - wanted)).toBeLessThanOrEqual(error * Math.abs(wanted));
    await expectNear("adam-m", m);
    await expectNear("adam-v", v);
    await expectNear("adam-w", w);
    await expectNear("adam-m-hat", m / (1 - beta1 ** t));
    await expectNear("adam-v-hat", v / (1 - beta2 ** t));
    expect(g).not.toBe(0);
    expect(w).not.toBe(w0);
  }

  test("goes by keys through all pictures and back, and the training has done one step", async () => {
    await enter();
    for (const [i, name] of TITLES.entries()) {
      expect(await title().innerText()).toContain(name);
      expect(await web.faults()).toEqual([]);
      if (i < TITLES.length - 1) await press("ArrowRight");
    }
    // Beyond the last there is none.
    await press("ArrowRight");
    expect(await title().innerText()).toContain("Again");
    for (const name of TITLES.toReversed().slice(1)) {
      await press("ArrowLeft");
      expect(await title().innerText()).toContain(name);
    }
    expect(await card().innerText()).toContain("Step 1 of 1,000");
    await goTo("Loss");
    const [document, step] = [await number("document-loss"), await number("step-loss")];
    expect(document).toBe(step);
    await isPaused();
    expect(await losses()).toEqual([step]);
  });

  test("shows numbers that are right: sums, shares, losses, and what Node computes", async () => {
    await enter();
    // Of the first step under Node.
    const dataset = shippedNames();
    const ops = typescriptOps();
    const model = new Model({ ...DEFAULT_MODEL, vocabularySize: dataset.vocabulary.size }, ops, dataset.vocabulary);
    const random = new Random(42);
    drawParameters(model.parameters, random, model.config, ops);
    const before = model.parameters.slice();
    const trainer = new Trainer(model, dataset, random, trainingConfig("esp32gpt", {}));
    const loss = trainer.step();
    const tokens = new Uint8Array(17);
    const length = dataset.tokens(trainer.documentIndex, tokens);
    const letters = page.locator(".tokens li");
    expect(await numbers(page.locator(".tokens"))).toEqual([...tokens.subarray(0, length - 1)]);
    expect(await letters.count()).toBe(length - 1);

    await press("ArrowRight");
    await button(/^Position 1,/).click();
    const [ofToken, ofPosition, sum] = [...(await rows("Embeddings")).values()];
    const n = 16;
    expect(ofToken).toEqual([...before.subarray(tokens[1] * n, (tokens[1] + 1) * n)]);
    expect(ofPosition).toEqual([...before.subarray((27 + 1) * n, (27 + 2) * n)]);
    expect(sum).toEqual(ofToken.map((x, i) => Math.fround(x + ofPosition[i])));

    await press("ArrowRight");
    await button(/^Position 3,/).click();
    const shares = await numbers(page.locator(".scores .p").first().locator("xpath=ancestor::tbody"));
    const [scores, p] = [shares.filter((_, i) => i % 2 === 0), shares.filter((_, i) => i % 2 === 1)];
    expect(p).toHaveLength(4);
    expect(p.reduce((a, b) => a + b)).toBeCloseTo(1, 6);
    const e = scores.map(Math.exp);
    p.forEach((share, i) => expect(share).toBeCloseTo(e[i] / e.reduce((a, b) => a + b), 6));
    const [q, ...keys] = [...(await rows("Query and keys")).values()];
    keys.forEach((k, i) => expect(q.reduce((a, x, j) => a + x * k[j], 0) / 2).toBeCloseTo(scores[i], 6));
    const mixed = [...(await rows("Values and their mix")).values()];
    const mix = mixed.pop() ?? [];
    mix.forEach((x, j) => expect(p.reduce((a, share, s) => a + share * mixed[s][j], 0)).toBeCloseTo(x, 6));

    for (const picture of ["Residual", "MLP"]) {
      await press("ArrowRight");
      const [x, added, after] = [...(await rows("The residual stream")).values()];
      x.forEach((value, i) => expect(value + added[i]).toBeCloseTo(after[i], 6));
      expect(await title().innerText()).toContain(picture);
    }
    const units = await numbers(page.locator(".units"));
    expect(units).toHaveLength(64);
    const [silent] = await numbers(page.locator(".picture > p").first());
    expect(units.filter((unit) => unit === 0)).toHaveLength(silent);
    expect(await page.locator(".units .silent").count()).toBe(silent);

    await press("ArrowRight");
    const each = await numbers(page.locator(".losses tbody"));
    expect(each).toHaveLength(length - 1);
    expect(await number("document-loss")).toBeCloseTo(each.reduce((a, b) => a + b) / each.length, 5);
    expect(await number("step-loss")).toBeCloseTo(Number(loss), 6);
    const likeliest = await numbers(page.locator(".likeliest tbody tr.chosen"));
    expect(-Math.log(likeliest[1])).toBeCloseTo(each[3], 5);

    await press("ArrowRight");
    const norms = await numbers(page.locator(".norms"));
    expect(norms).toHaveLength(9);
    expect(norms[0]).toBeCloseTo(Math.hypot(...trainer.gradients.subarray(0, 27 * n)), 6);
    const flow = await rows("Size of the gradients by place and position");
    expect([...flow.keys()][0]).toBe("logits");
    expect(flow.get("logits")).toHaveLength(length - 1);

    await press("ArrowRight");
    await expectAdam();
    await press("ArrowRight");
    const [now, then] = [await number("loss-after"), await number("loss-before")];
    expect(now).toBeLessThan(then);
    const cells = await numbers(page.locator(".again tbody"));
    const after = cells.filter((_, i) => i % 3 === 1);
    expect(now).toBeCloseTo(after.reduce((a, b) => a + b) / after.length, 5);
  });

  test("the new weight is the old one of the next step", async () => {
    await enter();
    await goTo("Adam");
    const choose = async (): Promise<void> => {
      await page.getByLabel("Matrix").selectOption("layers.0.w2");
      await page.getByRole("spinbutton", { name: "row" }).fill("3");
      await page.getByRole("spinbutton", { name: "column" }).fill("5");
      await page.getByRole("spinbutton", { name: "column" }).press("Enter");
    };
    await choose();
    let [m, v, w] = await Promise.all(["adam-m", "adam-v", "adam-w"].map(number));
    for (let t = 2; t <= 4; t++) {
      await goTo("Again");
      await button("Next step").click();
      await page.getByText(`Step ${t} of 1,000`).waitFor();
      await goTo("Adam");
      expect(await Promise.all(["adam-m-before", "adam-v-before", "adam-w-before", "adam-t"].map(number))).toEqual([
        ...[m, v, w],
        t,
      ]);
      [m, v, w] = await Promise.all(["adam-m", "adam-v", "adam-w"].map(number));
    }
    // A square of the picture chooses its weight too.
    const squares = page.getByRole("img", { name: "Gradients of layers.0.w2" });
    await squares.focus();
    await press("ArrowDown");
    await press("Enter");
    expect(await page.getByRole("spinbutton", { name: "row" }).inputValue()).toBe("4");
    expect(await title().innerText()).toContain("Adam");
  });

  test("of a batch one word is chosen, and the gradients are the sum of all", async () => {
    await enter("?list=names&preset=tuned");
    const words = page.locator("select[name=document]");
    expect(await words.locator("option").count()).toBe(8);
    const letters = await page.locator(".tokens b").allInnerTexts();
    await words.selectOption("3");
    await expectSoon(async () => (await page.locator(".tokens b").allInnerTexts()).join() !== letters.join());
    await goTo("Attention");
    expect(await page.locator(".scores th").allInnerTexts()).toContain("bias");
    // The loss of the step is the mean over all letters.
    await goTo("Loss");
    let [sum, count] = [0, 0];
    for (let i = 0; i < 8; i++) {
      await words.selectOption(String(i));
      const each = await numbers(page.locator(".losses tbody"));
      sum += each.reduce((a, b) => a + b);
      count += each.length;
    }
    expect(await number("step-loss")).toBeCloseTo(sum / count, 5);
    await goTo("Gradients");
    expect(await card().innerText()).toContain("summed over all 8 words");
    await goTo("Adam");
    await expectAdam();
  });

  test("in integers, and with two layers", async () => {
    await enter("?list=names&dtype=i32&n_layer=2");
    await goTo("Attention");
    await page.locator("select[name=layer]").selectOption("1");
    const shares = await numbers(page.locator(".scores .p"));
    expect(shares.reduce((a, b) => a + b)).toBeCloseTo(1, 6);
    await goTo("Adam");
    expect(await page.getByLabel("Matrix").locator("option").allInnerTexts()).toContain("layers.1.w1");
    await expectAdam(true);
    expect(await card().innerText()).toContain("i32");
  });

  test("what another word would do changes nothing of the training", async () => {
    const train = async (): Promise<number[]> => {
      await page.getByRole("link", { name: "Train here" }).click();
      await button(/^(Train|Resume)$/).click();
      await button("Train again").waitFor();
      return losses();
    };
    await open("?list=names&steps=40");
    const plain = await train();
    await web.open();
    ({ page } = web);
    await open("?list=names&steps=40");
    await page.getByLabel("What would another word do?").fill("zoe");
    await button("What if").click();
    await page.getByText("a step on one word, on a copy").waitFor();
    expect(await page.locator(".tokens b").allInnerTexts()).toEqual(["▸", "z", "o", "e"]);
    await goTo("Adam");
    await expectAdam();
    await button("Any word of the list").click();
    await page.getByLabel("What would another word do?").fill("Ω");
    await press("Enter");
    await page.getByRole("alert").getByText("Ω").waitFor();
    // The keys of the field are its own.
    await press("ArrowRight");
    expect(await title().innerText()).toContain("Adam");
    expect(await train()).toEqual(plain);
  });

  test("a training that runs pauses for it, and one that is over has no next step", async () => {
    await web.visit("?list=names&steps=500&speed=20");
    await button("Train").click();
    await button("Pause").waitFor();
    await page.getByRole("link", { name: "One step" }).click();
    await button("Pause, and walk through a step").click();
    await page.locator(".walk").waitFor();
    const [, step] = /Step (\d+) of 500/.exec(await card().innerText()) ?? [];
    await isPaused();
    expect(await losses()).toHaveLength(Number(step));

    await web.open();
    ({ page } = web);
    await web.visit("?list=names&steps=3");
    await button("Train").click();
    await button("Train again").waitFor();
    const done = await losses();
    await page.getByRole("link", { name: "One step" }).click();
    await page.getByText("The training is over").waitFor();
    await press("ArrowRight");
    expect(await page.locator(".walk").count()).toBe(0);
    await button("What if").click();
    await goTo("Adam");
    await expectAdam();
    expect(await number("adam-rate")).toBeCloseTo(0.01 / 3, 12);
    expect(await button("Next step").count()).toBe(0);
    await page.getByRole("link", { name: "Train here" }).click();
    expect(await losses()).toEqual(done);
  });

  test("of a large model it shows what fits, in squares that are not too many", async () => {
    await enter("?list=names&preset=tuned&n_embd=256&n_layer=4");
    for (const name of TITLES) {
      await goTo(name);
      const { pixels, elements } = await page.evaluate<{ pixels: number; elements: number }>(`({
        pixels: [...document.querySelectorAll("canvas")].reduce((sum, { width, height }) => sum + width * height, 0),
        elements: document.querySelectorAll("*").length,
      })`);
      expect(pixels).toBeLessThan(40_000);
      expect(elements).toBeLessThan(1500);
    }
    await goTo("MLP");
    expect(await page.getByRole("img", { name: "Units: " }).count()).toBe(1);
    await goTo("Adam");
    expect(await page.getByText(/its first \d+ of 27 rows/).count()).toBe(1);
    await expectAdam();
  });
});
