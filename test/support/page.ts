import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Locator,
  type Page,
} from "playwright-core";
import { ROOT } from "../helpers";
import { SHARED_FOLDER } from "./build";
import { skipUnless } from "./skipping";

/** Debian's, the one without windows first: it starts and draws in half the time. */
const BROWSERS = ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"];
const CHROMIUM = process.env.CHROMIUM ?? BROWSERS.find((path) => existsSync(path)) ?? BROWSERS[1];

export const { describe: describeInBrowser } = skipUnless(
  existsSync(CHROMIUM),
  `the page in a browser: there is no ${CHROMIUM}; $CHROMIUM may name another`,
);

/** How long the page may take for anything, in milliseconds: the machine may be busy. */
const PAGE_TIMEOUT_MS = 45_000;

/** Where any host may put it. */
const FOLDER = "/some/folder/";

const AXE = readFileSync(createRequire(__filename).resolve("axe-core/axe.min.js"), "utf8");

interface AxeReport {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string;
    readonly nodes: readonly { readonly html: string }[];
  }[];
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".json": "application/json",
  ".txt": "text/plain",
  ".md": "text/markdown",
};

/** The folder of the built page, which all test files of a run share: the first one that asks builds it. */
export async function builtPage(): Promise<string> {
  const shared = process.env[SHARED_FOLDER];
  if (shared === undefined) throw new Error(`${SHARED_FOLDER} is set by test/support/build.ts`);
  const [folder, unfinished] = ["web", "web-unfinished"].map((name) => join(shared, name));
  if (isFirst(join(shared, "web-begun"))) {
    const vite = join("node_modules", "vite", "bin", "vite.js");
    execFileSync(process.execPath, [vite, "build", "--config", "web/vite.config.mjs", "--outDir", unfinished], {
      cwd: ROOT,
      stdio: "pipe",
      // What is tested is what is served: under "test" it would have the checks of a development build.
      env: { ...process.env, NODE_ENV: "production" },
    });
    renameSync(unfinished, folder);
  }
  await expectSoon(() => existsSync(folder));
  return folder;
}

/** Whether a folder did not exist; it does now. */
function isFirst(folder: string): boolean {
  try {
    mkdirSync(folder);
    return true;
  } catch {
    return false;
  }
}

/** Serves a folder, like every host. */
export class PageServer {
  /** Files in the place of those in the folder, or beside them, by their paths there; undefined is for none. */
  readonly files = new Map<string, Buffer | string | undefined>();
  /** Paths in the folder that have been asked for. */
  readonly requests: string[] = [];

  private constructor(
    private readonly server: Server,
    private readonly folder: string,
  ) {}

  static async start(folder: string): Promise<PageServer> {
    const server = createServer(({ url = "" }, response) => {
      const path = normalize(decodeURIComponent(url.replace(/[?#].*/, "")));
      const content = path.startsWith(FOLDER) ? served.read(path.slice(FOLDER.length) || "index.html") : undefined;
      if (content === undefined) response.writeHead(404).end();
      else response.setHeader("Content-Type", typeOf(path)).end(content);
    });
    const served = new PageServer(server, folder);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return served;
  }

  /** Of the page's folder; it ends in a slash. */
  get address(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}${FOLDER}`;
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private read(path: string): Buffer | string | undefined {
    this.requests.push(path);
    if (this.files.has(path)) return this.files.get(path);
    const file = join(this.folder, path);
    return existsSync(file) ? readFileSync(file) : undefined;
  }
}

function typeOf(path: string): string {
  return path.endsWith("/") ? TYPES[".html"] : (TYPES[extname(path)] ?? "application/octet-stream");
}

export function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
}

/** The built page, served, and in a browser: anew for every test of the `describe` in which this is made. */
export class PageInBrowser {
  server!: PageServer;
  browser!: Browser;
  page!: Page;
  /** What went wrong in the page itself, and what it asked for elsewhere: nothing, when a test is over. */
  troubles: string[] = [];

  private context: BrowserContext | undefined;

  constructor() {
    beforeAll(() => this.start());
    beforeEach(() => this.open());
    afterEach(() => this.close());
    afterAll(() => this.stop());
  }

  private async start(): Promise<void> {
    const folder = await builtPage();
    [this.server, this.browser] = await Promise.all([PageServer.start(folder), startBrowser()]);
  }

  /** In another context, in the place of that which every test has. */
  async open(options?: BrowserContextOptions): Promise<void> {
    if (this.context) await this.close();
    const context = (this.context = await this.browser.newContext(options));
    context.setDefaultTimeout(PAGE_TIMEOUT_MS);
    const page = await context.newPage();
    const troubles: string[] = [];
    page.on("pageerror", ({ message }) => troubles.push(message));
    page.on("console", (message) => {
      if (message.type() === "error") troubles.push(message.text());
    });
    page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(this.server.address) && !url.startsWith("blob:")) troubles.push(`asked for ${url}`);
    });
    [this.page, this.troubles] = [page, troubles];
    this.server.files.clear();
    this.server.requests.length = 0;
  }

  /** Opens the page at an address, at full speed, and waits until it can train. */
  async visit(address = ""): Promise<void> {
    await this.page.goto(`${this.server.address}${atFullSpeed(address)}`);
    await this.page.locator("button.primary:enabled").first().waitFor();
  }

  /** Buttons of exactly this name. */
  readonly button = (name: string): Locator => this.page.getByRole("button", { name, exact: true });

  /** The first message of a problem that has this text. */
  readonly problem = (text: string | RegExp): Locator => this.page.locator(".problem", { hasText: text }).first();

  /** The link to a pane. */
  readonly tab = (id: string): Locator => this.page.locator(`nav a[href="#${id}"]`);

  /** Trains to the end. */
  async train(): Promise<void> {
    await this.button("Train").click();
    await this.button("Train again").waitFor();
  }

  /** Unfolds the settings, unless they are. */
  async openSettings(): Promise<void> {
    await this.page.locator(".settings:not([open]) > summary, .settings[open]").first().waitFor();
    if ((await this.page.locator(".settings[open]").count()) === 0)
      await this.page.locator(".settings > summary").click();
  }

  /** What axe-core finds that is serious, or worse. */
  async faults(): Promise<readonly string[]> {
    // The page's policy lets no script in from outside: this one comes by the debugger.
    await this.page.evaluate(AXE);
    const { violations } = await this.page.evaluate<AxeReport>("axe.run()");
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(", ")}`);
  }

  private async close(): Promise<void> {
    await this.context?.close();
    this.context = undefined;
    expect(this.troubles).toEqual([]);
  }

  private async stop(): Promise<void> {
    await this.browser.close();
    this.server.stop();
  }
}

/** An address of the page, with speed=max in its query unless that names a speed. */
export function atFullSpeed(address: string): string {
  const at = address.includes("#") ? address.indexOf("#") : address.length;
  const path = address.slice(0, at);
  if (/[?&]speed=/.test(path)) return address;
  return `${path}${path.includes("?") ? "&" : "?"}speed=max${address.slice(at)}`;
}

/** Waits until something is so that cannot be waited for in the page. */
export async function expectSoon(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + PAGE_TIMEOUT_MS;
  while (!(await isSo()) && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(await isSo()).toBe(true);
}
