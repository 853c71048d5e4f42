import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { builtPage, describeInBrowser, expectSoon, PageInBrowser } from "../support/page";

/* The page without a network, and its next version. */

describe("the manifest", () => {
  test("lets the page be installed under any path, with an icon that is there", async () => {
    const folder = await builtPage();
    const manifest = JSON.parse(readFileSync(join(folder, "manifest.webmanifest"), "utf8")) as {
      readonly name: string;
      readonly start_url: string;
      readonly scope: string;
      readonly display: string;
      readonly icons: readonly { readonly src: string; readonly sizes: string; readonly purpose: string }[];
    };
    expect(manifest).toMatchObject({ start_url: "./", scope: "./", display: "standalone" });
    expect(manifest.name.length).toBeGreaterThan(5);
    expect(manifest.icons.map(({ purpose }) => purpose).sort()).toEqual(["any", "maskable"]);
    for (const { src } of manifest.icons) expect(readFileSync(join(folder, src), "utf8")).toMatch(/^<svg /);
    expect(readFileSync(join(folder, "index.html"), "utf8")).toContain('href="./manifest.webmanifest"');
  });
});

describeInBrowser("the page offline", () => {
  const web = new PageInBrowser();
  let page: Page;
  beforeEach(() => ({ page } = web));

  const button = (name: string) => page.getByRole("button", { name, exact: true });
  const registrations = (): Promise<number> =>
    page.evaluate<number>("navigator.serviceWorker.getRegistrations().then(({ length }) => length)");
  const cached = (): Promise<string[]> =>
    page.evaluate<string[]>(`(async () => {
      const urls = [];
      for (const name of await caches.keys())
        for (const { url } of await (await caches.open(name)).keys()) urls.push(url.slice(location.origin.length));
      return urls;
    })()`);

  async function keep(): Promise<void> {
    await button("Keep this page for offline use").click();
    await page.getByText("This page works offline.").waitFor();
  }

  test("nothing is kept from this computer until somebody asks for it, and then it can be taken back", async () => {
    await web.visit("?steps=30");
    await button("Keep this page for offline use").waitFor();
    expect(await registrations()).toBe(0);
    expect(await cached()).toEqual([]);
    await keep();
    expect(await registrations()).toBe(1);
    await button("Do not keep it").click();
    await button("Keep this page for offline use").waitFor();
    expect(await registrations()).toBe(0);
    expect(await cached()).toEqual([]);
  });

  test("trains without a network on every list, and opens links", async () => {
    await web.visit("?steps=30");
    await keep();
    const kept = await cached();
    expect(kept.filter((path) => /esptool|images|licenses/.test(path))).toEqual([]);
    for (const list of ["names", "dinosaurs", "minerals", "towns", "hiragana"])
      expect(kept.some((path) => path.includes(`/${list}-`))).toBe(true);
    await page.context().setOffline(true);
    for (const list of ["hiragana", "towns"]) {
      await web.visit(`?list=${list}&steps=40&seed=9`);
      await button("Train").click();
      await button("Train again").waitFor();
    }
    await page.goto(`${web.server.address}index.html?list=minerals&steps=20`);
    await button("Train").waitFor();
    await page.context().setOffline(false);
  });

  test("what was fetched for flashing once is kept; the list of the images is asked for anew while it can be", async () => {
    const image = Buffer.from("an image");
    const index = (version: string): string => JSON.stringify({ images: [], version });
    web.server.files.set("images/index.json", index("1")).set("images/a-full.bin", image);
    await web.visit("?steps=30");
    await keep();
    await page.reload();
    const read = (path: string): Promise<string> =>
      page.evaluate<string>(`fetch(${JSON.stringify(path)}).then((response) => response.text())`);
    expect(await read("./images/index.json")).toBe(index("1"));
    expect(await read("./images/a-full.bin")).toBe(String(image));
    web.server.files.set("images/index.json", index("2"));
    expect(await read("./images/index.json")).toBe(index("2"));
    await page.context().setOffline(true);
    expect(await read("./images/index.json")).toBe(index("2"));
    expect(await read("./images/a-full.bin")).toBe(String(image));
    await page.context().setOffline(false);
  });

  test("a newer version is offered and not forced; what is trained stays", async () => {
    await web.visit("?steps=30");
    await keep();
    await button("Train").click();
    await button("Train again").waitFor();
    const files = await builtPage();
    const read = (name: string): string => readFileSync(join(files, name), "utf8");
    const version = /"version":"(\w+)"/.exec(read("service-worker.js"))?.[1] ?? "";
    web.server.files
      .set("service-worker.js", read("service-worker.js").replace(version, "next"))
      .set("index.html", read("index.html").replace("<title>", '<meta name="next" content="yes" /><title>'));
    const isNext = async (): Promise<boolean> => (await page.locator("meta[name=next]").count()) === 1;
    await web.visit("?steps=30");
    await page.evaluate("navigator.serviceWorker.getRegistration().then((registration) => registration.update())");
    await page.getByText("A newer version of this page is ready.").waitFor();
    await page.reload();
    await page.getByText("A newer version of this page is ready.").waitFor();
    expect(await isNext()).toBe(false);
    await button("Load it").click();
    await expectSoon(isNext);
    await button("Train again").waitFor();
    await page.getByText("This page works offline.").waitFor();
    expect((await cached()).length).toBeGreaterThan(8);
  });
});
