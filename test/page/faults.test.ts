import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { DEFAULT_MODEL } from "../../src/gpt/model/config";
import { type Choice, formatAddress, parseAddress, settingsOf } from "../../web/workbench/address";
import { LISTS } from "../../web/workbench/lists";
import { describeInBrowser, expectSoon, PageInBrowser } from "../support/page";

/* Faults that the page had, each of a kind: parts that die, colours that vanish, input that is taken wrongly. */

describe("an address", () => {
  test.each(LISTS)("with the list $id alone means what the menu means", ({ id, values }) => {
    expect(parseAddress(`list=${id}`)).toEqual({ list: id, values });
    expect(parseAddress(`list=${id}&utm_source=a`)).toEqual({ list: id, values });
  });

  test.each([
    ...LISTS.map(({ id }) => ({ list: id, values: {} })),
    ...LISTS.map(({ id, values }) => ({ list: id, values })),
    { list: "dinosaurs", values: { preset: "", steps: "" } },
    { list: "dinosaurs", values: { seed: "7" } },
    { list: "own-01234567", values: {} },
    { list: "names", values: { steps: "30", n_embd: "8" } },
  ])("of %j is read as the same choice", (choice) => {
    const address = formatAddress(choice);
    const read = parseAddress(address);
    if (!read) throw new Error(`${address} chooses nothing`);
    expect(formatAddress(read)).toBe(address);
    expect(read.list).toBe(choice.list);
    expect(trained(read.values)).toEqual(trained(choice.values));
  });

  /** What is trained with the values of a choice. */
  const trained = (values: Choice["values"]): unknown => {
    const { model, training, seed } = settingsOf({ list: "", values });
    return { model: { ...DEFAULT_MODEL, ...model }, training, seed };
  };
});

describeInBrowser("the page", () => {
  const web = new PageInBrowser();
  let page: Page;
  beforeEach(() => ({ page } = web));

  const { button, problem, tab } = web;
  const train = (): Promise<void> => web.train();

  async function downloadOf(name: string): Promise<string> {
    const [download] = await Promise.all([page.waitForEvent("download"), button(name).click()]);
    return download.suggestedFilename();
  }

  describe("with a part that fails", () => {
    /** Makes the canvases of Look inside fail: a real error in an effect of one of its components. */
    const BREAK = `HTMLCanvasElement.prototype.getContext = () => { throw new TypeError("no canvas"); };`;

    test("keeps the rest: navigation, losses and checkpoint, and shows the part again", async () => {
      await web.visit("?steps=50");
      await train();
      await page.evaluate(`globalThis.mended = HTMLCanvasElement.prototype.getContext; ${BREAK}`);
      await tab("inside").click();
      const sentence = problem("An internal error ended this part of the page, but not the training");
      await sentence.waitFor();
      expect(await sentence.innerText()).toContain("TypeError: no canvas");
      expect(await page.locator(".problem:visible:not(:empty)").count()).toBe(1);
      expect(await downloadOf("Download the losses")).toBe("losses-seed-42.csv");
      expect(await downloadOf("Download the checkpoint")).toBe("esp32gpt-50.safetensors");
      expect(await web.faults()).toEqual([]);
      await page.evaluate("HTMLCanvasElement.prototype.getContext = globalThis.mended");
      await tab("board").click();
      await page.getByRole("heading", { name: "Your board" }).waitFor();
      await tab("train").click();
      await button("Train again").click();
      await button("Train again").waitFor();
      await page.evaluate(BREAK);
      await tab("inside").click();
      await sentence.waitFor();
      await page.evaluate("HTMLCanvasElement.prototype.getContext = globalThis.mended");
      await button("Show this part again").click();
      await page.locator("canvas.heat").first().waitFor();
      expect(await sentence.count()).toBe(0);
      web.troubles.length = 0;
    });

    test("or with a mistake that nobody waits for is still usable, and its sentence can be put away", async () => {
      await web.visit("?steps=50");
      await page.evaluate(() => {
        setTimeout(() => {
          throw new TypeError("a mistake in an event");
        });
      });
      await problem("An internal error occurred").waitFor();
      await train();
      expect(await downloadOf("Download the losses")).toBe("losses-seed-42.csv");
      await button("Hide this message").click();
      expect(await problem("An internal error occurred").count()).toBe(0);
      web.troubles.length = 0;
    });
  });

  test("has a title for each of its parts", async () => {
    await web.visit("#inside");
    expect(await page.title()).toBe("Look inside · esp32gpt");
    await tab("board").click();
    await expectSoon(async () => (await page.title()) === "Your board · esp32gpt");
    await tab("train").click();
    await expectSoon(async () => (await page.title()) === "Train here · esp32gpt");
  });

  describe.each(["light", "dark"] as const)("in forced colours, %s", (colorScheme) => {
    beforeEach(async () => {
      await web.open({ forcedColors: "active", colorScheme });
      ({ page } = web);
      await web.visit("?list=dinosaurs&steps=300&holdout=10&preset=tuned");
      await train();
    });

    const style = (selector: string, property: string): Promise<string> =>
      page.evaluate(`getComputedStyle(document.querySelector(${JSON.stringify(selector)})).${property}`);
    const background = (selector: string): Promise<string> => style(selector, "backgroundColor");
    const textOf = (selector: string): Promise<string> => style(selector, "color");
    const canvas = (): Promise<string> => background("html");

    test("shows which tab is current, the lines of the chart, and what fits", async () => {
      expect(await background("nav a[aria-current]")).not.toBe(await background("nav a:not([aria-current])"));
      expect(await background("nav a[aria-current]")).not.toBe(await canvas());
      expect(await textOf("nav a[aria-current]")).not.toBe(await background("nav a[aria-current]"));
      expect(await textOf("button.primary")).not.toBe(await background("button.primary"));
      expect(await style(".tag", "borderTopColor")).not.toBe(await canvas());
      // The grid, the losses, the smoothed ones and those of the validation.
      expect(await coloursOfChart()).toBeGreaterThanOrEqual(4);
      expect(await coloursOnScreen("meter")).toBeGreaterThanOrEqual(2);
      expect(await web.faults()).toEqual([]);
    });

    test("shows which letter is pressed, and the bars", async () => {
      await tab("inside").click();
      await page.locator(".bars .bar").first().waitFor();
      expect(await background(".letters [aria-pressed=true]")).not.toBe(
        await background(".letters [aria-pressed=false]"),
      );
      for (const selector of [".bars .bar", ".bars .following .bar", ".shares .bar", ".swatch"])
        expect(await background(selector)).not.toBe(await canvas());
      expect(await coloursOnScreen(".bars li:first-child .track")).toBeGreaterThanOrEqual(2);
      expect(await coloursOnScreen(".scale .gradient")).toBeGreaterThan(20);
      expect(await web.faults()).toEqual([]);
    });

    /** How many colours the chart has in many of its pixels. */
    const coloursOfChart = (): Promise<number> =>
      page.evaluate(`(() => {
        const canvas = document.querySelector(".u-wrap canvas");
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        const counts = new Map();
        for (let i = 0; i < data.length; i += 4)
          if (data[i + 3] === 255) {
            const colour = data.slice(i, i + 3).join();
            counts.set(colour, (counts.get(colour) ?? 0) + 1);
          }
        return [...counts.values()].filter((count) => count > 50).length;
      })()`);

    /** How many colours a part of the page has on the screen. */
    async function coloursOnScreen(selector: string): Promise<number> {
      const picture = (await page.locator(selector).first().screenshot()).toString("base64");
      return page.evaluate(`(async () => {
        const bytes = Uint8Array.from(atob(${JSON.stringify(picture)}), (c) => c.charCodeAt(0));
        const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
        const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
        context.drawImage(bitmap, 0, 0);
        const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
        const colours = new Set();
        for (let i = 0; i < data.length; i += 4) colours.add(data.slice(i, i + 3).join());
        return colours.size;
      })()`);
    }
  });

  describe("whose training diverges", () => {
    /** The labels that are drawn on canvases, in the page's own variable. */
    const LABELS = `{
      globalThis.labels = new Set();
      const { fillText } = CanvasRenderingContext2D.prototype;
      CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
        labels.add(text);
        fillText.call(this, text, ...rest);
      };
    }`;

    test.each([
      [
        "to numbers that are not finite",
        "?learning_rate=10&steps=300",
        "with the usual learning rate",
        /^Training has diverged.*Try/,
      ],
      ["to large ones", "?learning_rate=10&preset=microgpt&steps=300", "", /^$/],
    ])("%s: keeps a readable axis and says what to do", async (_, address, label, sentence) => {
      await page.addInitScript(LABELS);
      await web.visit(address);
      await button("Train").click();
      const again = button(`Train again ${label}`.trim());
      await again.and(page.locator(":visible")).waitFor();
      for (const name of ["Resume", "Pause", "One step", "Stop"])
        for (const there of await button(name).and(page.locator(":visible")).all())
          expect(await there.isDisabled()).toBe(true);
      expect((await page.locator(".problem:visible").allInnerTexts()).join("")).toMatch(sentence);
      await page.waitForTimeout(100);
      const drawn = (await page.evaluate<string[]>("[...labels]"))
        .map((text) => text.replaceAll(",", ""))
        .filter((text) => /^[\d.]+$/.test(text))
        .map(Number);
      expect(drawn.length).toBeGreaterThan(5);
      // The losses are in the millions. The steps are on the other axis.
      expect(Math.max(...drawn)).toBeLessThanOrEqual(300);
      expect((await page.locator(".figures").innerText()).length).toBeLessThan(90);
      if (label === "") return;
      await again.click();
      await page.waitForURL(({ search }) => !search.includes("learning_rate"));
      await button("Train again").and(page.locator(":visible")).waitFor();
    });
  });

  describe("whose chart is read", () => {
    test("by keyboard says at each step what the mouse shows there", async () => {
      await web.visit("?list=dinosaurs&steps=400&holdout=10&preset=tuned");
      await train();
      const cursor = page.getByRole("slider", { name: "Read the curve step by step" });
      await cursor.focus();
      const text = (): Promise<string | null> => cursor.getAttribute("aria-valuetext");
      const value = (i: number): Promise<string> => page.locator(".u-legend .u-value").nth(i).innerText();
      for (const [key, step] of [
        ["Home", "0"],
        ["ArrowRight", "1"],
        ["PageUp", "51"],
        ["ArrowLeft", "50"],
        ["End", "399"],
        ["ArrowRight", "399"],
      ]) {
        await page.keyboard.press(key);
        await expectSoon(async () => (await text())?.startsWith(`step ${step}: `) ?? false);
        await expectSoon(async () => (await value(0)) === step);
        const [loss, smoothed] = [await value(1), await value(2)];
        expect(await text()).toContain(`loss ${loss}, smoothed ${smoothed}`);
        expect(await cursor.innerText()).toBe(await text());
      }
      expect(await text()).toMatch(/, validation \d\.\d{3}$/);
      expect(await web.faults()).toEqual([]);
    });

    test("as a table, of a bounded number of rows, has the losses of the file", async () => {
      await web.visit("?list=dinosaurs&steps=3000&n_embd=4&n_head=1&holdout=10");
      await train();
      await page.getByText("The losses as a table").click();
      await page.locator(".losses tbody tr").first().waitFor();
      const rows = await page.locator(".losses tbody tr").allInnerTexts();
      expect(rows.length).toBeGreaterThan(40);
      expect(rows.length).toBeLessThanOrEqual(50);
      const [download] = await Promise.all([page.waitForEvent("download"), button("Download the losses").click()]);
      const lines = readFileSync(await download.path(), "utf8")
        .split("\n")
        .slice(1, -1);
      const shown = lines.map((line) => {
        const [step, loss, smoothed] = line.split(",").map(Number);
        return `${step.toLocaleString("en")}\t${loss.toFixed(3)}\t${smoothed.toFixed(3)}`;
      });
      for (const row of rows) expect(shown).toContain(row.split("\t").slice(0, 3).join("\t"));
      expect(rows[0]).toMatch(/^0\t/);
      expect(rows.at(-1)?.startsWith(shown.at(-1) ?? "none")).toBe(true);
      expect(await web.faults()).toEqual([]);
    });
  });
});
