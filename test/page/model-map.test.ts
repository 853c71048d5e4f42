import type { Locator, Page } from "playwright-core";
import { createTrainer } from "../../src/gpt/create-trainer";
import type { Dtype } from "../../src/gpt/model/ops";
import { gradientLayout, parameterLayout } from "../../src/gpt/model/parameters";
import { typescriptOps } from "../../src/gpt/model/typescript-ops";
import type { Trainer } from "../../src/gpt/training/trainer";
import { largestDifference, shippedNames } from "../helpers";
import { atFullSpeed, describeInBrowser, expectSoon, PageInBrowser } from "../support/page";

/* The drawing of the model: its weights at their places, and what it says of one of them, beside Node's training. */

/** Where the matrices belong. */
const PLACES = {
  embedding: ["wte", "wpe"],
  attention: ["wq", "wk", "wv", "wo", "bias"],
  mlp: ["w1", "w2"],
  logits: ["wout"],
};

interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** What the panel says of a square. */
interface Said {
  readonly title: string;
  readonly value: number;
  readonly gradient: number;
  readonly change: number;
  /** In the formula: new, old, rate, m̂ and v̂. */
  readonly formula: readonly number[];
}

/** A training under Node, as the page does it. */
function nodeTraining(steps: number, dtype: Dtype, batchSize = 1): Trainer {
  return createTrainer({ dataset: shippedNames(), ops: typescriptOps(dtype), training: { steps, batchSize } });
}

const weightsOf = ({ model }: Trainer): number[] => Array.from(model.parameters, (x) => x * model.parameterUnit);

const indexOf = ({ model }: Trainer, name: string, row: number, column: number): number => {
  const { offset, columns } = parameterLayout(model.config).part(name);
  return offset + row * columns + column;
};

/** The gradient of a weight after a step, as the ops see it. */
function gradientOf({ model, gradients, config }: Trainer, name: string, row: number, column: number): number {
  const layout = gradientLayout(model.config, model.ops.dtype, config.batchSize);
  const at = row * layout.part(name).columns + column;
  const isOfQkv = /w[qkv]$/.test(name);
  const tensor = isOfQkv
    ? layout.view(model.ops, gradients, "layers.0.wq", "layers.0.wv")
    : layout.view(model.ops, gradients, name);
  const block = isOfQkv ? ["q", "k", "v"].indexOf(name.at(-1) ?? "") : 0;
  const from = block * model.config.nEmbd ** 2 + at;
  if (!("mantissas" in tensor)) return tensor[from];
  return tensor.mantissas[from] * 2 ** -tensor.exponents[block];
}

const close = (actual: number, expected: number): void => {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(1e-7 + 1e-4 * Math.abs(expected));
};

describeInBrowser("the model as a map", () => {
  const web = new PageInBrowser();
  let page: Page;
  beforeEach(() => ({ page } = web));

  async function open(query = ""): Promise<void> {
    await page.goto(web.server.address + atFullSpeed(`${query}#inside`));
    await page.locator("[data-matrix=wout]").waitFor();
  }

  const button = (name: string): Locator => page.getByRole("button", { name, exact: true });
  const panel = (): Locator => page.locator(".square-panel");
  const squares = (matrix: string): Locator => page.locator(`[data-matrix="${matrix}"] canvas`);

  async function train(steps: number): Promise<void> {
    await button("Train").click();
    await button("Train again").waitFor();
    await page.getByText(`Step ${steps.toLocaleString("en")} of ${steps.toLocaleString("en")}`).waitFor();
  }

  const boxes = (selector: string, attribute: string): Promise<Record<string, Box>> =>
    page.evaluate<Record<string, Box>>(`Object.fromEntries(
      Array.from(document.querySelectorAll("${selector}"), (element) => {
        const { left, top, right, bottom } = element.getBoundingClientRect();
        return [element.closest("[${attribute}]").getAttribute("${attribute}"), { left, top, right, bottom }];
      }))`);

  async function point(matrix: string, row: number, column: number): Promise<void> {
    const canvas = squares(matrix);
    await canvas.scrollIntoViewIfNeeded();
    const [box, height, width] = [
      await canvas.boundingBox(),
      Number(await canvas.getAttribute("height")),
      Number(await canvas.getAttribute("width")),
    ];
    if (!box) throw new Error(`${matrix} is not drawn`);
    const position = { x: ((column + 0.5) * box.width) / width, y: ((row + 0.5) * box.height) / height };
    await canvas.hover({ position });
  }

  /** Goes to a square by the keys alone, from the matrix's first. */
  async function walk(matrix: string, row: number, column: number): Promise<void> {
    await squares(matrix).focus();
    await page.keyboard.press("PageUp");
    await page.keyboard.press("Home");
    for (let i = 0; i < row; i++) await page.keyboard.press("ArrowDown");
    for (let i = 0; i < column; i++) await page.keyboard.press("ArrowRight");
  }

  const values = (selector: string): Promise<number[]> =>
    page.evaluate<number[]>(`Array.from(document.querySelectorAll("${selector} data"), (data) => Number(data.value))`);

  async function said(title: string): Promise<Said> {
    const reading = panel().locator(".square-reading");
    await reading.filter({ hasText: title }).locator(".formula").waitFor();
    const [value, gradient, change] = await values(".square-reading dl");
    const formula = await values(".square-reading .formula");
    return { title: await reading.locator("p").first().innerText(), value, gradient, change, formula };
  }

  test.each([
    ["wide", 1366, 768],
    ["upright", 390, 844],
    ["narrow", 320, 640],
  ])("each matrix lies in its block and covers no other: %s", async (_, width, height) => {
    await page.setViewportSize({ width, height });
    await open("?preset=tuned&n_layer=2");
    const blocks = await boxes("[data-block] > rect", "data-block");
    const matrices = await boxes("canvas.heat", "data-matrix");
    expect(Object.keys(matrices)).toEqual(["wte", "wpe", "wq", "wk", "wv", "wo", "w1", "w2", "wout", "bias"]);
    const figures = await boxes(".model-map figure", "data-matrix");
    for (const [block, names] of Object.entries(PLACES))
      for (const name of names) {
        const [inner, outer] = [matrices[name], blocks[block]];
        expect(inner.right - inner.left).toBeGreaterThan(30);
        expect(inner.left).toBeGreaterThanOrEqual(outer.left);
        expect(inner.right).toBeLessThanOrEqual(outer.right);
        expect(inner.top).toBeGreaterThan(outer.top + 40);
        expect(inner.bottom).toBeLessThanOrEqual(outer.bottom);
      }
    const all = Object.entries(figures);
    for (const [name, a] of all)
      for (const [other, b] of all)
        if (name < other)
          expect(a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top).toBe(true);
    expect(await page.evaluate<number>("document.documentElement.scrollWidth")).toBe(width);
  });

  test("a square says what Node's training says: by the pointer", async () => {
    await open("?steps=60");
    await point("wte", 13, 4);
    await panel().getByText("The next step computes its gradient").waitFor();
    await train(60);
    const trainer = nodeTraining(60, "f32");
    for (let step = 0; step < 59; step++) trainer.step();
    const before = weightsOf(trainer);
    trainer.step();
    const after = weightsOf(trainer);
    for (const [matrix, name, row, column, title] of [
      ["wte", "wte", 13, 4, "wte, row 13: m, column 4: dimension 4"],
      ["wpe", "wpe", 0, 15, "wpe, row 0: position 0, the start, column 15: dimension 15"],
      ["wq", "layers.0.wq", 2, 5, "wq, row 2: dimension 2, column 5: head 2, query 1"],
      ["wo", "layers.0.wo", 15, 0, "wo, row 15: head 4, value 3, column 0: dimension 0"],
      ["w1", "layers.0.w1", 1, 63, "w1, row 1: dimension 1, column 63: unit 63"],
      ["wout", "wout", 7, 0, "wout, row 7: dimension 7, column 0: end of the word"],
    ] as const) {
      await point(matrix, row, column);
      const shown = await said(title);
      expect(shown.title).toBe(title);
      const index = indexOf(trainer, name, row, column);
      close(shown.value, after[index]);
      close(shown.gradient, gradientOf(trainer, name, row, column));
      close(shown.change, after[index] - before[index]);
      const [now, old, rate, m, v] = shown.formula;
      expect(now).toBe(shown.value);
      expect(old + shown.change).toBeCloseTo(now, 12);
      close(rate, trainer.learningRate);
      // The arithmetic that is shown gives the change that is shown, but for float32's rounding of the weight.
      expect(Math.abs((-rate * m) / (Math.sqrt(v) + 1e-8) - shown.change)).toBeLessThan(1e-7);
    }
  });

  test("by the keys, in integers, to the last bit", async () => {
    await open("?steps=40&dtype=i32");
    await train(40);
    const trainer = nodeTraining(40, "i32");
    for (let step = 0; step < 39; step++) trainer.step();
    const before = weightsOf(trainer);
    trainer.step();
    const after = weightsOf(trainer);
    for (const [matrix, name, row, column, title] of [
      ["wte", "wte", 1, 2, "wte, row 1: a, column 2: dimension 2"],
      ["wv", "layers.0.wv", 3, 4, "wv, row 3: dimension 3, column 4: head 2, value 0"],
      ["w2", "layers.0.w2", 2, 3, "w2, row 2: unit 2, column 3: dimension 3"],
    ] as const) {
      await walk(matrix, row, column);
      const shown = await said(title);
      expect(shown.title).toBe(title);
      const index = indexOf(trainer, name, row, column);
      expect(shown.value).toBe(after[index]);
      expect(shown.gradient).toBe(gradientOf(trainer, name, row, column));
      expect(shown.change).toBe(after[index] - before[index]);
      const [, , rate, m, v] = shown.formula;
      // A weight is a multiple of 2^-20, and the tables of i32 have 11 bits.
      const moved = (-rate * m) / Math.sqrt(v);
      expect(Math.abs(moved - shown.change)).toBeLessThan(2 ** -20 + 2e-3 * Math.abs(moved));
      // What a screen reader says, once.
      await expectSoon(async () => (await panel().locator("[aria-live]").innerText()).startsWith(`${matrix}, `));
    }
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("End");
    expect((await said("column 15")).title).toBe("w2, row 1: unit 1, column 15: dimension 15");
  });

  test("with batches the gradient is that of the whole batch", async () => {
    await open("?steps=30&batch_size=4");
    await button("One step").click();
    await page.getByText("Step 1 of 30").waitFor();
    await point("wout", 2, 1);
    const shown = await said("wout, row 2");
    const trainer = nodeTraining(30, "f32", 4);
    trainer.step();
    close(shown.gradient, gradientOf(trainer, "wout", 2, 1));
  });

  test("a pinned square has its curve, over another pane and another training, until it is removed", async () => {
    await open("?steps=300");
    await walk("wk", 4, 7);
    await page.keyboard.press("Enter");
    await panel().getByText("Pinned").waitFor();
    await train(300);
    await panel().getByText("The curve as a table").click();
    const rows = panel().locator("tbody tr");
    await expectSoon(async () => (await rows.count()) === 76);
    const trainer = nodeTraining(300, "f32");
    const index = indexOf(trainer, "layers.0.wk", 4, 7);
    const expected: number[] = [];
    for (let step = 0; step <= 300; step++) {
      if (step % 4 === 0) expected.push(trainer.model.parameters[index]);
      if (step < 300) trainer.step();
    }
    expect(await rows.locator("th").allInnerTexts()).toEqual(Array.from({ length: 76 }, (_, i) => String(4 * i)));
    expect(largestDifference(await values(".square-panel tbody"), expected)).toBeLessThan(1e-4);
    expect(await panel().getByRole("img").getAttribute("aria-label")).toMatch(/^Its curve: from .* after 0 steps to /);

    await page.getByRole("link", { name: "Train here", exact: true }).click();
    await button("Train again").click();
    await button("Train again").waitFor();
    await page.getByRole("link", { name: "Look inside", exact: true }).click();
    await panel().getByText("Pinned").waitFor();
    await said("wk, row 4: dimension 4, column 7: head 2, key 3");
    expect(await page.locator(".mark.pinned").count()).toBe(1);
    await button("Remove the pin").click();
    await expectSoon(async () => (await page.locator(".mark.pinned").count()) === 0);
    expect(await panel().getByText("Point at a square").count()).toBe(1);
    // A click pins as well, and another one removes it.
    await squares("wte").click({ position: { x: 5, y: 5 } });
    await button("Remove the pin").waitFor();
    await squares("wte").click({ position: { x: 5, y: 5 } });
    await expectSoon(async () => (await button("Remove the pin").count()) === 0);
  });

  test("after a reload the curve begins where the training goes on, and says so", async () => {
    await open("?steps=2000&speed=100");
    await button("Train").click();
    await expectSoon(async () => /Step \d{2,} of/.test(await page.locator(".inside .lead").innerText()));
    await button("Pause").click();
    await button("Resume").waitFor();
    const step = /Step ([\d,]+) of/.exec(await page.locator(".inside .lead").innerText())?.[1] ?? "";
    await page.reload();
    await page.locator("[data-matrix=wout]").waitFor();
    await squares("wte").click({ position: { x: 5, y: 5 } });
    await panel().getByText(`The curve begins after step ${step}, from where this training went on`).waitFor();
  });

  test("the worker is asked for a square at most ten times a second", async () => {
    await page.addInitScript(`{
      globalThis.asked = 0;
      const { postMessage } = Worker.prototype;
      Worker.prototype.postMessage = function (message, ...rest) {
        if (message.name === "weight") globalThis.asked++;
        return postMessage.call(this, message, ...rest);
      };
    }`);
    await open();
    const begin = await page.evaluate<number>("performance.now()");
    for (let round = 0; round < 4; round++)
      for (let column = 0; column < 16; column++) await point("wq", round, column);
    const [asked, end] = await page.evaluate<[number, number]>("[asked, performance.now()]");
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThanOrEqual((end - begin) / 100 + 1);
  });

  test.each(["light", "dark", "forced"] as const)("axe-core finds nothing: %s", async (scheme) => {
    await page.emulateMedia(scheme === "forced" ? { forcedColors: "active" } : { colorScheme: scheme });
    await page.setViewportSize({ width: 390, height: 844 });
    await open("?steps=50&n_layer=2&preset=tuned");
    await train(50);
    await walk("w1", 1, 1);
    await page.keyboard.press("Enter");
    await panel().getByText("The curve as a table").click();
    await walk("bias", 2, 3);
    expect((await said("bias")).title).toBe("bias of layer 1, row 2: head 3, column 3: 3 back");
    expect(await web.faults()).toEqual([]);
  });
});
