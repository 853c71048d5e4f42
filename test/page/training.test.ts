import { readFileSync, writeFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { esp32gpt, temporaryFolder } from "../support/cli";
import { atFullSpeed, describeInBrowser, expectSoon, PageInBrowser } from "../support/page";

/* Training in the page, in a browser, beside the same training under Node. */

const at = temporaryFolder();

/** Of the page's table of losses. */
interface Row {
  readonly step: number;
  readonly loss: number;
  readonly smoothed: number;
}

describeInBrowser("training in the page", () => {
  const web = new PageInBrowser();
  let page: Page;
  beforeEach(() => ({ page } = web));

  const open = (address?: string): Promise<void> => web.visit(address);

  const main = (name: string) => page.getByRole("button", { name, exact: true });
  const press = (name: string): Promise<void> => main(name).click();

  async function train(): Promise<void> {
    await press("Train");
    await main("Train again").waitFor();
  }

  async function downloaded(button: string): Promise<Buffer> {
    const [download] = await Promise.all([page.waitForEvent("download"), press(button)]);
    return readFileSync(await download.path());
  }

  async function losses(): Promise<Row[]> {
    const [, ...rows] = (await downloaded("Download the losses")).toString().trimEnd().split("\n");
    return rows.map((row) => {
      const [step, loss, smoothed] = row.split(",").map(Number);
      return { step, loss, smoothed };
    });
  }

  const words = (list: string): Promise<string[]> => page.locator(`${list} bdi`).allTextContents();

  const figure = (name: string): Promise<string> =>
    page
      .locator(".figures div", { has: page.getByText(name, { exact: true }) })
      .locator("dd")
      .innerText();

  const stepIs = (shown: RegExp): Promise<void> =>
    page.locator(".figures div:first-child dd", { hasText: shown }).waitFor();

  /** Losses of the same training under Node. */
  async function nodeRun(...options: string[]): Promise<{ losses: number[]; names: string[] }> {
    const { stdout } = await esp32gpt("train", "--jsonl", at("run.jsonl"), ...options);
    const lines = readFileSync(at("run.jsonl"), "utf8").trimEnd().split("\n");
    return {
      losses: lines.map((line) => (JSON.parse(line) as { loss: number }).loss),
      names: Array.from(stdout.matchAll(/^ +\d+\. (.*)$/gm), ([, name]) => name),
    };
  }

  test("ends with what Node ends with: losses, and names, each marked as new or known", async () => {
    await open();
    await train();
    const node = await nodeRun();
    const rows = await losses();
    expect(rows).toHaveLength(1000);
    expect(rows[999].smoothed).toBeLessThan(2.5);
    const differences = rows.map(({ loss }, i) => Math.abs(loss - node.losses[i]));
    expect(Math.max(...differences.slice(0, 100))).toBeLessThan(1e-6);
    console.info(
      `${differences.filter((difference) => difference === 0).length} of 1000 losses are Node's to the last bit; ` +
        `the largest difference is ${Math.max(...differences)}. Math functions that differ between the two engines: ` +
        `${(await differingFunctions()).join(", ") || "none"}.`,
    );
    expect(await words(".names")).toEqual(node.names);
    const list = new Set(readFileSync("data/names.txt", "utf8").split("\n"));
    const tags = await page.locator(".names .tag").allTextContents();
    expect(tags).toEqual(node.names.map((name) => (list.has(name) ? "known" : "new")));
  });

  test("in integers it has Node's losses, names, weights and moments to the last bit", async () => {
    await open("?list=names&preset=tuned&steps=60&dtype=i32");
    await train();
    const node = await nodeRun("--dtype", "i32", "--preset", "tuned", "--steps", "60", "--save", at("i32"));
    expect((await losses()).map(({ loss }) => loss)).toEqual(node.losses);
    expect(await words(".names")).toEqual(node.names);
    const tensors = (file: Buffer): Buffer => file.subarray(8 + file.readUInt32LE());
    expect(tensors(await downloaded("Download"))).toEqual(tensors(readFileSync(at("i32"))));
  });

  /** Which functions give other bits in the browser than here. */
  async function differingFunctions(): Promise<string[]> {
    const ask = (): Record<string, number[]> => {
      const inputs = Array.from({ length: 2000 }, (_, i) => (i + 0.5) / 100);
      const { exp, log, sqrt, sin, cos } = Math;
      return Object.fromEntries(Object.entries({ exp, log, sqrt, sin, cos }).map(([name, f]) => [name, inputs.map(f)]));
    };
    const [here, there] = [ask(), await page.evaluate(ask)];
    return Object.keys(here)
      .filter((name) => here[name].some((value, i) => value !== there[name][i]))
      .map((name) => `Math.${name}`);
  }

  test("is still there after a reload, and goes on where it was paused", async () => {
    await open("?list=dinosaurs&steps=400&n_embd=8");
    await page.getByLabel("Speed").fill("5");
    await press("Train");
    await stepIs(/^[6-9]\d |^[123]\d\d /);
    await press("Pause");
    await main("Resume").waitFor();
    const [step, written] = [await figure("step"), await words(".untrained")];
    await page.reload();
    await main("Resume").waitFor();
    expect(await figure("step")).toBe(step);
    expect(await words(".untrained")).toEqual(written);
    await page.getByLabel("Speed").fill("10");
    await press("Resume");
    await main("Train again").waitFor();
    expect(await figure("computing")).toMatch(
      new RegExp(`^[\\d.]+\\s+s for the last ${400 - Number.parseInt(step, 10)} steps$`),
    );
    await page.locator(".names li:nth-child(20)").waitFor();
    const [rows, names] = [await losses(), await words(".names")];
    await page.waitForTimeout(200);
    await page.reload();
    await main("Train again").waitFor();
    expect(await losses()).toEqual(rows);
    expect(await words(".names")).toEqual(names);
    // Opened without an address, the page shows the last training.
    await open();
    expect(page.url()).toContain("list=dinosaurs&n_embd=8&steps=400");
    expect(await losses()).toEqual(rows);
    const node = await nodeRun("--data", "web/lists/dinosaurs.txt", "--steps", "400", "--n-embd", "8");
    expect(rows.map(({ step }) => step)).toEqual(node.losses.map((_, i) => i));
    expect(Math.max(...rows.map(({ loss }, i) => Math.abs(loss - node.losses[i])))).toBeLessThan(1e-6);
  });

  test("goes by single steps, and as slowly as one likes", async () => {
    await open();
    for (const count of ["1", "2", "3"]) {
      await press("One step");
      await stepIs(new RegExp(`^${count} `));
    }
    const perSecond = 10;
    await page.getByLabel("Speed").fill("3");
    const begin = Date.now();
    await press("Resume");
    await stepIs(/^\d\d+ /);
    await press("Pause");
    await main("Resume").waitFor();
    const seconds = (Date.now() - begin) / 1000;
    const steps = Number.parseInt(await figure("step"), 10) - 3;
    expect(steps).toBeGreaterThan(0);
    expect(steps).toBeLessThanOrEqual(1 + perSecond * seconds);
    await press("Stop");
    await main("Train again").waitFor();
  });

  test("loses two seconds at the most when it is closed, however slowly it goes", async () => {
    await open();
    await page.getByLabel("Speed").fill("3");
    await press("Train");
    await stepIs(/^[3-9]\d /);
    await page.reload();
    await main("Resume").waitFor();
    expect(Number.parseInt(await figure("step"), 10)).toBeGreaterThanOrEqual(10);
    expect((await losses()).map(({ step }) => step)).toEqual(
      Array.from({ length: Number.parseInt(await figure("step"), 10) }, (_, i) => i),
    );
    await page.waitForTimeout(2000);
    const step = Number.parseInt(await figure("step"), 10) + 1;
    await press("One step");
    await stepIs(new RegExp(`^${step} `));
    await page.waitForTimeout(500);
    await page.reload();
    await main("Resume").waitFor();
    await stepIs(new RegExp(`^${step} `));
    expect(await losses()).toHaveLength(step);
  });

  test("what is pressed many times is done, and nothing is said against it", async () => {
    await open("?steps=100000000");
    const often = (name: string): Promise<void> =>
      main(name).evaluate((button: { click: () => void }) => {
        for (let i = 0; i < 5; i++) button.click();
      });
    await often("Train");
    await stepIs(/^[\d,]{3,} /);
    await often("Pause");
    await main("Resume").waitFor();
    await press("Another seed");
    await often("Begin anew");
    await page.waitForURL(/seed=47/);
    await main("Pause").waitFor();
    expect(await page.locator(".u-legend").innerText()).toMatch(/seed 42/);
    expect(await page.locator(".u-legend").innerText()).not.toMatch(/seed 4[3-7]/);
    expect(await page.locator(".problem:not(:empty)").count()).toBe(0);
  });

  test("a double click on Train trains", async () => {
    await open("?steps=100000000&speed=50");
    const box = await main("Train").boundingBox();
    if (!box) throw new Error("the button is not shown");
    const [x, y] = [box.x + 20, box.y + box.height / 2];
    await page.mouse.click(x, y);
    await main("Pause").waitFor();
    await page.mouse.down({ clickCount: 2 });
    await page.mouse.up({ clickCount: 2 });
    await stepIs(/^[\d,]{3,} /);
    await main("Pause").waitFor();
  });

  test("a checkpoint that has the weights alone is trained as it is chosen", async () => {
    const weights = at("weights.safetensors");
    await esp32gpt("train", "--steps", "300", "--samples", "0", "--n-embd", "8", "--save-weights", weights);
    await open("?steps=70&learning_rate=0.02&seed=9");
    await page.getByLabel("Upload a safetensors file").setInputFiles(weights);
    await page.waitForURL(/list=names&n_embd=8&steps=70&learning_rate=0.02&seed=9/);
    await train();
    expect(await losses()).toHaveLength(70);
    expect((await losses())[9].smoothed).toBeLessThan(2.9);
  });

  test("the last eight trainings are kept, and the ninth is forgotten", async () => {
    const seeds = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    const address = (seed: number): string => `?list=dinosaurs&n_embd=4&n_head=1&steps=1&seed=${seed}`;
    for (const seed of seeds) {
      await open(address(seed));
      await train();
    }
    await expectSoon(async () => {
      const kept = await page.evaluate<string[]>(keptKeys());
      return seeds.every((seed) => kept.some((key) => key.includes(`seed=${seed}/`)) === seed > 1);
    });
    await open(address(2));
    await main("Train again").waitFor();
    await open(address(1));
    await main("Train").waitFor();
  });

  test("the address says what is chosen, wherever one goes back to", async () => {
    await open("?steps=300");
    for (const part of ["Look inside", "Train here"]) await page.getByRole("link", { name: part, exact: true }).click();
    await web.openSettings();
    await page.getByLabel("steps").fill("400");
    await page.waitForURL(/steps=400&speed=max#train/);
    await page.goBack();
    await page.waitForURL(/steps=400&speed=max#inside/);
    await page.goBack();
    await page.waitForURL(/steps=400&speed=max$/);
    expect(await page.getByLabel("steps").inputValue()).toBe("400");
  });

  describe("where the browser keeps nothing", () => {
    test("as it has no room: it is said, and what is learnt can be downloaded", async () => {
      await open("?steps=100000000");
      const session = await page.context().newCDPSession(page);
      const { origin } = new URL(web.server.address);
      await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 1000 });
      await press("Train");
      await page.getByText("The browser has no room to keep this training: download its checkpoint.").waitFor();
      await press("Pause");
      await main("Resume").waitFor();
      writeFileSync(at("kept.safetensors"), await downloaded("Download"));
      await press("Resume");
      await main("Pause").waitFor();
      const [step] = Array.from(readFileSync(at("kept.safetensors"), "latin1").matchAll(/"step":"(\d+)"/g), Number);
      expect(step).not.toBe(0);
    });

    test("as it has no place for it: the page trains all the same", async () => {
      await page.addInitScript(() => {
        const get = (): never => {
          throw new DOMException("This is denied.", "SecurityError");
        };
        for (const name of ["indexedDB", "localStorage"]) Object.defineProperty(globalThis, name, { get });
      });
      await open();
      await train();
    });

    test.each(["garbage", "{}", "[1,null]", '["colour=blue"]', '["n_embd=0"]', '["list=own-00000000"]'])(
      "or something else than what the page has given it: %s",
      async (addresses) => {
        await open("?steps=30");
        await train();
        await page.waitForTimeout(200);
        expect(await page.evaluate(spoiling(addresses))).toBe(2);
        await page.goto(web.server.address);
        await page.locator("button.primary:enabled, .problem:not(:empty)").first().waitFor();
        await open("?steps=30");
        await train();
        expect(await losses()).toHaveLength(30);
      },
    );
  });

  test("starts again from another seed beside the curve that was there", async () => {
    await open();
    await train();
    const first = await losses();
    await press("Another seed");
    await page.waitForURL(/seed=43/);
    await main("Train again").waitFor();
    expect((await losses())[999]).not.toEqual(first[999]);
    await expect(page.locator(".u-legend").innerText()).resolves.toMatch(/seed 42/);
    await page.reload();
    await main("Train again").waitFor();
    expect(await page.getByLabel("seed").inputValue()).toBe("43");
  });

  test("gives and takes checkpoints: those of the command line go on in the page to the last bit, and back", async () => {
    const options = ["--data", "web/lists/towns.txt", "--n-embd", "8", "--preset", "tuned", "--steps", "60"];
    options.push("--seed", "43");
    await esp32gpt("train", ...options, "--samples", "0", "--save", at("whole.safetensors"), "--holdout", "10");
    await open("?list=towns&n_embd=8&preset=tuned&steps=60&holdout=10&seed=43");
    for (let i = 0; i < 5; i++) await press("One step");
    await stepIs(/^5 /);
    const bytes = await downloaded("Download");
    writeFileSync(at("five.safetensors"), bytes);
    await esp32gpt(
      "train",
      "--resume",
      at("five.safetensors"),
      ...options,
      "--samples",
      "0",
      "--save",
      at("resumed.safetensors"),
    );
    // What the page has for itself is its build.
    expect(tensorsOf("resumed.safetensors")).toEqual(tensorsOf("whole.safetensors"));

    await open("?list=names");
    await train();
    await page.getByLabel("Upload a safetensors file").setInputFiles(at("five.safetensors"));
    await main("Resume").waitFor();
    expect(page.url()).toContain("list=towns&preset=tuned&n_embd=8&steps=60&holdout=10&seed=43");
    expect(await figure("step")).toMatch(/^5\s+of 60$/);
    await press("Resume");
    await main("Train again").waitFor();
    writeFileSync(at("page.safetensors"), await downloaded("Download"));
    expect(tensorsOf("page.safetensors")).toEqual(tensorsOf("whole.safetensors"));
  });

  function tensorsOf(file: string): string {
    const bytes = readFileSync(at(file));
    return bytes.subarray(8 + Number(bytes.readBigUInt64LE())).toString("base64");
  }

  describe("what cannot be trained is a sentence on the page, and nothing is lost", () => {
    const sentence = (): Promise<string> => page.locator(".problem:not(:empty)").first().innerText();

    async function expectNothingLost(before: Row[]): Promise<void> {
      expect(await losses()).toEqual(before);
    }

    test.each([
      ["n_embd", "99999", /^n_embd must be a whole number from 1 to 4096, not 99999\.$/],
      ["n_embd", "4096", /^This model needs \d+ bytes.*n_embd \d+ would fit\.$/],
      ["n_layer", "1e99", /^n_layer must be a whole number from 1 to 64/],
      ["n_head", "3", /^n_embd \(16\) must be a multiple of n_head \(3\)/],
      ["block_size", "1", /^block_size must be a whole number from 2 to 4096, not 1\.$/],
      ["holdout", "99", /^holdout must be a number from 0 to 90, not 99\.$/],
      ["seed", "0", /^seed must be a whole number from 1/],
      ["learning_rate", "-1", /^learning_rate must be a number from 0 to 10, not -1\.$/],
      ["steps", "0", /^steps must be a whole number from 1/],
    ])("%s %s", async (name, value, expected) => {
      await open("?steps=30");
      await train();
      const before = await losses();
      await web.openSettings();
      const field = page.locator(`input[name=${name}]`);
      await field.fill(value);
      await page.locator(".problem:not(:empty)").first().waitFor();
      expect(await sentence()).toMatch(expected);
      await expectNothingLost(before);
      await field.fill("");
      await page.locator(".settings .problem:empty").waitFor({ state: "attached" });
    });

    test("a part of the page that cannot be loaded any more", async () => {
      await open("?steps=30");
      await train();
      const before = await losses();
      await page.route("**/worker*", (route) => route.abort());
      await web.openSettings();
      await page.locator("input[name=steps]").fill("31");
      await page.locator(".problem:not(:empty)").first().waitFor();
      expect(await sentence()).toBe("The training worker does not start: try again, or reload the page.");
      await expectNothingLost(before);
    });

    test.each([
      ["nothing", "", /^your text has no names: it needs one a line\.$/],
      ["blank lines", "\n \n\t\n", /^your text has no names/],
      [
        "a control character",
        "emma\nol\u0007ivia\n",
        /^your text, line 2: U\+0007 is a control character: leave it out\.$/,
      ],
      ["words that are too long", `${"x".repeat(40)}\n`, /./],
    ])("own text: %s", async (_, text, expected) => {
      await open("?steps=30");
      await train();
      const before = await losses();
      await page.getByText("A list of your own").click();
      await page.getByLabel("Or typed here").fill(text);
      await press("Take this text");
      await page.locator(".problem:not(:empty)").first().waitFor();
      expect(await sentence()).toMatch(expected);
      await expectNothingLost(before);
    });

    test.each([
      ["UTF-16", Buffer.from("\ufeffemma\nolivia", "utf16le"), /is in UTF-16: save it as UTF-8/],
      ["a Git LFS pointer", Buffer.from("version https://git-lfs.github.com/spec/v1\n"), /is a Git LFS pointer, not/],
      ["an HTML page", Buffer.from("<!DOCTYPE html>\n<img src=x>"), /is an HTML page: download the file itself/],
      ["a picture", Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0]), /not valid UTF-8/],
    ])("own file: %s", async (_, buffer, expected) => {
      await open("?steps=30");
      await train();
      const before = await losses();
      await page.getByText("A list of your own").click();
      const file = { name: "<img src=x onerror=alert(1)>.txt", mimeType: "text/plain", buffer };
      await page.getByLabel("From a file").setInputFiles(file);
      await page.locator(".problem:not(:empty)").first().waitFor();
      expect(await sentence()).toMatch(expected);
      expect(await page.locator("img").count()).toBe(0);
      await expectNothingLost(before);
    });

    test.each([
      ["no checkpoint", () => Buffer.from("hello"), /^evil\.safetensors/],
      ["an HTML page", () => Buffer.from("<html><img src=x></html>"), /^evil\.safetensors is an HTML page: download/],
      [
        "a Git LFS pointer",
        () => Buffer.from("version https://git-lfs.github.com/spec/v1\n"),
        /^evil\.safetensors is a Git LFS pointer, not the file itself/,
      ],
      ["nothing", () => Buffer.alloc(0), /^evil\.safetensors/],
      ["half of one", (sound: Buffer) => sound.subarray(0, sound.length / 2), /^evil\.safetensors/],
      ["a flipped bit", (sound: Buffer) => flipped(sound), /^evil\.safetensors/],
      [
        "escape codes and HTML in its metadata",
        (sound: Buffer) => withMetadata(sound, { preset: "\u001b[2J<img src=x onerror=alert(1)>" }),
        /^evil\.safetensors cannot be used: its preset is "\\u\{1b\}\[2J<img src=x onerror=alert\(1\)>"/,
      ],
      [
        "HTML among its characters",
        (sound: Buffer) => withMetadata(sound, { vocabulary: "\u001b<img src=x>" }),
        /^evil\.safetensors/,
      ],
      [
        "a name of a tensor that is HTML",
        (sound: Buffer) => Buffer.from(sound.toString("latin1").replace('"layers.0.wq"', '"<img src=x>"'), "latin1"),
        /^evil\.safetensors/,
      ],
    ])("a checkpoint: %s", async (_, make, expected) => {
      await open("?steps=30");
      await train();
      const before = await losses();
      const sound = await downloaded("Download");
      const address = page.url();
      const file = { name: "evil.safetensors", mimeType: "application/octet-stream", buffer: make(sound) };
      await page.getByLabel("Upload a safetensors file").setInputFiles(file);
      await page.locator(".problem:not(:empty)").first().waitFor();
      expect(await sentence()).toMatch(expected);
      expect(await page.locator("img").count()).toBe(0);
      expect(page.url()).toBe(address);
      await expectNothingLost(before);
      await page.reload();
      await main("Train again").waitFor();
      await expectNothingLost(before);
    });

    test.each([
      ["?n_embd=99999", /^n_embd must be a whole number from 1 to 4096, not 99999\.$/],
      ["?n_embd=%1b%5b2J<img>", /^n_embd must be a whole number from 1 to 4096, not \\u\{1b\}\[2J<img>\.$/],
      ["?list=<img src=x>", /^There is no list <img src=x>: choose one of names,/],
      ["?list=own-00000000", /^The address refers to a custom list/],
      [`?n_embd=${"9".repeat(500)}`, /^The value of n_embd in the address is too long: 9+…\.$/],
    ])("the address %s", async (address, expected) => {
      await page.goto(web.server.address + atFullSpeed(address));
      await page.locator(".problem:not(:empty)").first().waitFor();
      expect(await sentence()).toMatch(expected);
      expect(await page.locator("img").count()).toBe(0);
      // A value that will not do stands where it can be put right.
      expect(await page.getByLabel("n_embd").inputValue()).toBe(/^\?n_embd=9{5}$/.exec(address) ? "99999" : "");
      await page.getByRole("button", { name: /^Names/ }).click();
      await web.openSettings();
      await page.getByLabel("n_embd").fill("16");
      await main("Train").waitFor();
      await page.locator(".settings .problem:empty").waitFor({ state: "attached" });
      await train();
    });
  });

  test("parameters of an address that are not settings are ignored, and the rest holds", async () => {
    await open("?utm_source=a&steps=30&fbclid=%1b<img>&colour=blue");
    await train();
    expect(await losses()).toHaveLength(30);
    expect(page.url()).toMatch(/\?list=names&steps=30&speed=max$/);
  });

  test("a run takes twelve seconds unless another speed is chosen, and a link keeps that", async () => {
    await page.goto(`${web.server.address}?steps=120`);
    const begin = Date.now();
    await press("Train");
    await stepIs(/^1\d /);
    expect(Date.now() - begin).toBeGreaterThan(900);
    await page.getByLabel("Speed").fill("9");
    await page.waitForURL(/&speed=500$/);
    await main("Train again").waitFor();
    await page.reload();
    await main("Train again").waitFor();
    expect(await page.getByLabel("Speed").inputValue()).toBe("9");
  });

  test("a link brings the list, the shape and the seed, and the same run", async () => {
    await open();
    await page.getByRole("button", { name: /^Minerals/ }).click();
    await web.openSettings();
    await page.getByLabel("n_embd").fill("8");
    await page.getByLabel("steps").fill("100");
    await page.getByLabel("seed").fill("7");
    await page.waitForURL(/n_embd=8.*seed=7/);
    await train();
    const [link, rows] = [page.url(), await losses()];
    const elsewhere = await web.browser.newContext();
    const other = await elsewhere.newPage();
    await other.goto(link);
    await other.getByRole("button", { name: "Train", exact: true }).click();
    await other.getByRole("button", { name: "Train again" }).waitFor();
    const [download] = await Promise.all([
      other.waitForEvent("download"),
      other.getByRole("button", { name: "Download the losses" }).click(),
    ]);
    expect(readFileSync(await download.path(), "utf8").split("\n")).toHaveLength(rows.length + 2);
    expect(readFileSync(await download.path(), "utf8")).toContain(`99,${rows[99].loss},${rows[99].smoothed}`);
    await elsewhere.close();
  });
});

/** Puts something else in the place of everything that the browser keeps of the page. */
function spoiling(addresses: string): string {
  return `new Promise((resolve) => {
    localStorage.setItem("esp32gpt", ${JSON.stringify(addresses)});
    const opening = indexedDB.open("esp32gpt");
    opening.onsuccess = () => {
      const transaction = opening.result.transaction("kept", "readwrite");
      const store = transaction.objectStore("kept");
      const keys = store.getAllKeys();
      keys.onsuccess = () => keys.result.forEach((key) => store.put({ curve: 5 }, key));
      transaction.oncomplete = () => resolve(keys.result.length);
    };
  })`;
}

/** The keys of everything that the browser keeps of the page. */
function keptKeys(): string {
  return `new Promise((resolve) => {
    const opening = indexedDB.open("esp32gpt");
    opening.onsuccess = () => {
      const keys = opening.result.transaction("kept").objectStore("kept").getAllKeys();
      keys.onsuccess = () => {
        opening.result.close();
        resolve(keys.result);
      };
    };
  })`;
}

/** A bit of the last tensor, so that the header is sound. */
function flipped(sound: Buffer): Buffer {
  const bytes = Buffer.from(sound);
  bytes[bytes.length - 3] ^= 0x40;
  return bytes;
}

function withMetadata(sound: Buffer, metadata: Record<string, string>): Buffer {
  const size = Number(sound.readBigUInt64LE());
  const header = JSON.parse(sound.subarray(8, 8 + size).toString()) as { __metadata__: Record<string, string> };
  Object.assign(header.__metadata__, metadata);
  const text = Buffer.from(JSON.stringify(header));
  const begin = Buffer.alloc(8);
  begin.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([begin, text, sound.subarray(8 + size)]);
}
