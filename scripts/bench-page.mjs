// npm run bench:page: the training speed of the built page in headless Chromium, compared with the same training on
// Node; the longest time the page is unresponsive meanwhile; and the time to first paint.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { build, preview } from "vite";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const ROUNDS = 5;
/** Interval at which the page's responsiveness is checked, in milliseconds. */
const TICK = 5;

process.chdir(ROOT);
const config = { configFile: "web/vite.config.mjs", logLevel: /** @type {const} */ ("warn") };
await build(config);
const server = await preview({ ...config, preview: { port: 0, host: "127.0.0.1", open: false } });
const address = server.resolvedUrls?.local[0] ?? "";
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
try {
  for (const steps of [1000, 20_000]) {
    /** @type {number[]} */
    const ratios = [];
    let [page, node, silence] = [Infinity, Infinity, 0];
    for (let round = 0; round < ROUNDS; round++) {
      const there = await trainInPage(steps);
      const here = trainOnNode(steps);
      ratios.push(there.milliseconds / here);
      page = Math.min(page, there.milliseconds);
      node = Math.min(node, here);
      silence = Math.max(silence, there.silence);
    }
    const median = ratios.toSorted((a, b) => a - b)[ROUNDS >> 1];
    console.log(
      `${steps} steps: ${page.toFixed(0)} ms in the page, ${node.toFixed(0)} ms on Node (the best of ${ROUNDS}); ` +
        `${median.toFixed(2)} times the time on Node (median of pairs); the page was unresponsive for at most ${silence.toFixed(0)} ms`,
    );
  }
  console.log(`first paint after ${(await firstPicture()).toFixed(0)} ms (median of ${ROUNDS}, nothing cached)`);
} finally {
  await browser.close();
  await server.close();
}

/**
 * Trains in the page; the time counts from the click on Train.
 * @param {number} steps
 */
async function trainInPage(steps) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(`${address}?list=names&steps=${steps}&speed=max`);
    const train = page.getByRole("button", { name: "Train", exact: true });
    await train.and(page.locator(":enabled")).waitFor();
    await page.evaluate(`{
      let last = performance.now();
      globalThis.silence = 0;
      setInterval(() => {
        const now = performance.now();
        globalThis.silence = Math.max(globalThis.silence, now - last - ${TICK});
        last = now;
      }, ${TICK});
    }`);
    await train.click();
    await page.getByRole("button", { name: "Train again" }).waitFor({ timeout: 600_000 });
    const value = await page.locator(".figures data").getAttribute("value");
    return { milliseconds: Number(value), silence: Number(await page.evaluate("globalThis.silence")) };
  } finally {
    await context.close();
  }
}

/**
 * @param {number} steps
 * @returns milliseconds of the training only, as in the page
 */
function trainOnNode(steps) {
  const options = ["train", "--steps", String(steps), "--samples", "0", "--stats"];
  const text = execFileSync(process.execPath, ["bin/esp32gpt.js", ...options], { encoding: "utf8" });
  /** @type {{ seconds: number }} */
  const { seconds } = JSON.parse(text.trimEnd().split("\n").at(-1) ?? "");
  return 1000 * seconds;
}

async function firstPicture() {
  const times = [];
  for (let round = 0; round < ROUNDS; round++) {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(address);
    await page.getByRole("img").waitFor();
    times.push(Number(await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")));
    await context.close();
  }
  return times.toSorted((a, b) => a - b)[ROUNDS >> 1];
}
