import { existsSync } from "node:fs";
import puppeteer, { type Browser, type Page } from "puppeteer-core";
import { esp32gpt } from "../support/cli";
import { builtPage, PageServer } from "../support/page";
import { skipUnless } from "../support/skipping";

/* A smoke test in Firefox, by WebDriver BiDi: the same names as everywhere. */

const FIREFOX =
  process.env.FIREFOX ?? ["/usr/bin/firefox-esr", "/usr/bin/firefox"].find(existsSync) ?? "/usr/bin/firefox-esr";

const { describe: describeInFirefox } = skipUnless(
  existsSync(FIREFOX),
  `the page in Firefox: there is no ${FIREFOX}; $FIREFOX may name another`,
);

describeInFirefox("the page in Firefox", () => {
  let server: PageServer;
  let browser: Browser;
  let page: Page;
  const troubles: string[] = [];

  beforeAll(async () => {
    server = await PageServer.start(await builtPage());
    browser = await puppeteer.launch({ browser: "firefox", executablePath: FIREFOX });
    page = await browser.newPage();
    page.setDefaultTimeout(45_000);
    page.on("pageerror", (error) => troubles.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") troubles.push(message.text());
    });
  });

  afterAll(async () => {
    await browser.close();
    server.stop();
    expect(troubles).toEqual([]);
  });

  const button = (name: string) => page.locator(`::-p-aria([role="button"][name="${name}"])`);

  test("trains, and writes the names of the command line", async () => {
    await page.goto(`${server.address}?speed=max`);
    await button("Train").setWaitForEnabled(true).click();
    await button("Train again").wait();
    await page.locator(".names li:nth-child(20)").wait();
    const names = (await page.evaluate(
      "Array.from(document.querySelectorAll('.names bdi'), ({ textContent }) => textContent)",
    )) as string[];
    const { stdout } = await esp32gpt("train");
    expect(names).toEqual(Array.from(stdout.matchAll(/^ +\d+\. (.*)$/gm), ([, name]) => name));
  });

  test("walks through one step, whose arithmetic holds", async () => {
    await page.goto(`${server.address}?steps=500&speed=max#step`);
    await button("Walk through step 1").click();
    for (const picture of ["Tokens", "Embedding", "Attention", "Residual", "MLP", "Loss", "Gradients", "Adam"]) {
      await page.locator(`::-p-xpath(//h3[starts-with(., "${picture},")])`).wait();
      if (picture !== "Adam") await page.keyboard.press("ArrowRight");
    }
    const number = async (id: string): Promise<number> =>
      Number(await page.evaluate(`document.getElementById("adam-${id}").value`));
    const [before, rate, m, v] = [await number("w-before"), await number("rate"), await number("m"), await number("v")];
    // After the first update the corrected moments are g and g².
    const expected = before - (rate * (m / (1 - 0.85))) / (Math.sqrt(v / (1 - 0.99)) + 1e-8);
    expect(Math.abs((await number("w")) - expected)).toBeLessThan(1e-6);
    expect(await number("w")).not.toBe(before);
  });
});
