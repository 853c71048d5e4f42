// npm run bench:page: the training speed of the built page in headless Chromium, compared with the same training on
// Node; the longest time the page is unresponsive meanwhile and in the walk through one step; its memory over many
// trainings; and the time to first paint.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { build, preview } from "vite";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const ROUNDS = 5;
/** Trainings after which the memory is measured. */
const TRAININGS = [5, 40];
/** Interval at which the page's responsiveness is checked, in milliseconds. */
const TICK = 5;

process.chdir(ROOT);
const config = { configFile: "web/vite.config.mjs", logLevel: /** @type {const} */ ("warn") };
await build(config);
// With these headers a page may ask how much memory it and its workers use.
const headers = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };
const server = await preview({ ...config, preview: { port: 0, host: "127.0.0.1", open: false, headers } });
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
  console.log(`the walk through two steps: the page was unresponsive for at most ${(await walk()).toFixed(0)} ms`);
  const memory = await memoryOfTrainings();
  console.log(
    `memory of page and worker: ${memory.map((bytes, i) => `${(bytes / 1e6).toFixed(1)} MB after ${TRAININGS[i]} trainings`).join(", ")}`,
  );
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
    await watch(page);
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

/**
 * Measures from now on for how long the page does nothing else.
 * @param {import("playwright-core").Page} page
 */
function watch(page) {
  return page.evaluate(`{
    let last = performance.now();
    globalThis.silence = 0;
    setInterval(() => {
      const now = performance.now();
      globalThis.silence = Math.max(globalThis.silence, now - last - ${TICK});
      last = now;
    }, ${TICK});
  }`);
}

/** Walks through two steps, forth and back. */
async function walk() {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${address}?list=names&speed=max#step`);
  const begin = page.getByRole("button", { name: /^Walk through/ });
  await begin.waitFor();
  await watch(page);
  await begin.click();
  for (const key of ["ArrowRight", "ArrowLeft", "ArrowRight"])
    for (let i = 0; i < 8; i++) {
      await page.keyboard.press(key);
      await page.waitForTimeout(50);
    }
  await page.getByRole("button", { name: /^Next step/ }).click();
  for (let i = 0; i < 8; i++) {
    await page.keyboard.press("ArrowRight");
    await page.waitForTimeout(50);
  }
  const silence = Number(await page.evaluate("globalThis.silence"));
  await context.close();
  return silence;
}

/** Bytes of the page and its worker after some trainings. */
async function memoryOfTrainings() {
  const context = await browser.newContext();
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await page.goto(`${address}?list=names&steps=200&speed=max`);
  const train = page.getByRole("button", { name: /^Train( again)?$/ }).and(page.locator(":enabled"));
  /** @type {number[]} */
  const bytes = [];
  for (let done = 1; done <= Math.max(...TRAININGS); done++) {
    const took = "document.querySelector('.figures data')?.value";
    const before = await page.evaluate(took);
    await train.click();
    // The button of the training before has the same name.
    while (((now) => now === undefined || now === before)(await page.evaluate(took))) await page.waitForTimeout(20);
    await page.getByRole("button", { name: "Train again" }).waitFor();
    if (!TRAININGS.includes(done)) continue;
    const measured = page.evaluate("performance.measureUserAgentSpecificMemory().then(({ bytes }) => bytes)");
    await session.send("HeapProfiler.collectGarbage");
    bytes.push(Number(await measured));
  }
  await context.close();
  return bytes;
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
