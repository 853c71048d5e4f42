import { readFileSync } from "node:fs";
import { deflateRawSync } from "node:zlib";
import type { Page } from "playwright-core";
import { describeInBrowser, PageInBrowser } from "../support/page";

/* What the page hands on: a link, which may carry a list, and a picture. */

const WORDS = Array.from({ length: 150 }, (_, i) => `w${"abcdefghij"[i % 10]}${"klmnop"[i % 6]}x\u00e4`);

describeInBrowser("handing on", () => {
  const web = new PageInBrowser();
  let page: Page;
  beforeEach(() => ({ page } = web));

  const button = (name: string) => page.getByRole("button", { name, exact: true });
  const link = () => page.locator("input[name=link]");

  async function train(): Promise<void> {
    await button("Train").click();
    await button("Train again").waitFor();
  }

  async function takeOwn(text: string): Promise<void> {
    await page.getByText("A list of your own").click();
    await page.getByLabel("Or typed here").fill(text);
    await button("Take this text").click();
    await page.waitForURL(/list=own-/);
    await button("Train").and(page.locator(":enabled")).waitFor();
  }

  async function downloaded(name: string): Promise<Buffer> {
    const [download] = await Promise.all([page.waitForEvent("download"), button(name).click()]);
    return readFileSync(await download.path());
  }

  async function losses(): Promise<string> {
    return (await downloaded("Download the losses")).toString();
  }

  test("a link carries a short list of one's own, the settings and the seed: the same run elsewhere", async () => {
    await web.visit("?steps=60&seed=7&n_embd=8");
    await takeOwn(WORDS.join("\n"));
    await train();
    const here = await losses();
    await button("Copy a link").click();
    await link().waitFor();
    const address = await link().inputValue();
    expect(address).toMatch(/\?list=own-\w+&n_embd=8&steps=60&seed=7&speed=max#train&words=[\w-]+$/);
    expect(await page.getByText("too long for a link").count()).toBe(0);

    await web.open();
    ({ page } = web);
    await page.goto(address);
    await train();
    expect(await losses()).toBe(here);
    expect(page.url()).toBe(address.split("&words=")[0]);
    await page.reload();
    await button("Train again").waitFor();
  });

  test("a list that is too long for a link is handed on as a file", async () => {
    await web.visit("?steps=20");
    const text = Array.from({ length: 3000 }, (_, i) => ((i * 2654435761) % 1e9).toString(26)).join("\n");
    await page.getByText("A list of your own").click();
    const file = { name: "long.txt", mimeType: "text/plain", buffer: Buffer.from(text) };
    await page.getByLabel("From a file").setInputFiles(file);
    await page.waitForURL(/list=own-/);
    await button("Train").and(page.locator(":enabled")).waitFor();
    await button("Copy a link").click();
    await page.getByText("too long for a link").waitFor();
    expect(await link().inputValue()).not.toContain("words=");
    expect(String(await downloaded("Download the list"))).toBe(text);
  });

  test.each([
    ["damaged", "words=AAAA-_"],
    ["empty", "words="],
    ["one that unpacks to very much", `words=${bomb()}`],
  ])("a list in a link that is %s is told, and the page goes on", async (_, part) => {
    await page.goto(`${web.server.address}?steps=20&speed=max#train&${part}`);
    await page.getByText("The list in the link is damaged: ask for the link again.").waitFor();
    await train();
  });

  test("a picture of the curve and of the words is saved", async () => {
    await web.visit("?steps=300");
    await train();
    const png = await downloaded("Save a picture");
    expect(png.subarray(1, 4).toString()).toBe("PNG");
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([1200, 630]);
    expect(png.length).toBeGreaterThan(10_000);
  });
});

/** A megabyte of the same letter, compressed. */
function bomb(): string {
  return deflateRawSync(Buffer.alloc(1 << 20, "a")).toString("base64url");
}
