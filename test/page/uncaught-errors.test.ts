import type { Page } from "playwright-core";
import { describeInBrowser, PageInBrowser } from "../support/page";

/* A mistake in the program of the page or of its worker is shown, also of a promise that nobody waits for. */

describeInBrowser("a mistake in the page", () => {
  const web = new PageInBrowser();
  let page: Page;
  beforeEach(() => ({ page } = web));

  /** In the worker, after it has begun. */
  const LATE = `addEventListener("message", ({ data }) => {
    if (data.name === "resume") Promise.reject(new TypeError("a mistake in the worker"));
  });`;

  test("in its worker ends the training with a sentence", async () => {
    await page.route("**/worker*", async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: `${await response.text()}\n${LATE}` });
    });
    await page.goto(`${web.server.address}?steps=100000&speed=max`);
    await page.locator("button.primary:enabled").click();
    await page
      .locator(".problem", { hasText: "ended because of an internal error: TypeError: a mistake in the worker" })
      .waitFor();
    expect(web.troubles.splice(0)).toEqual(["a mistake in the worker"]);
  });

  test.each(["#train", "#step", "#inside", "#board"])("itself is told, in %s", async (pane) => {
    await page.goto(`${web.server.address}${pane}`);
    await page.locator("main section, main form").first().waitFor();
    await page.evaluate(() => {
      setTimeout(() => {
        void Promise.reject(new TypeError("a mistake in the page"));
      });
    });
    const alert = page.getByRole("alert").filter({ hasText: "An internal error occurred" });
    await alert.waitFor();
    expect(await alert.innerText()).toBe(
      "An internal error occurred (TypeError: a mistake in the page): reload the page.",
    );
    expect(web.troubles.splice(0)).toEqual(["a mistake in the page"]);
  });
});
