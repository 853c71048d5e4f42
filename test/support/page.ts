import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { ROOT } from "../helpers";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** Whether there is a browser to test the page in; it is said where there is none. */
export const hasBrowser = existsSync(CHROMIUM);
if (!hasBrowser)
  console.warn(`skipped: the page in a browser, as there is no ${CHROMIUM}; $CHROMIUM may name another.`);

/** Where any host may put it. */
const FOLDER = "/some/folder/";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};

/** Builds the page into a folder. */
export function buildPage(folder: string): void {
  const vite = join("node_modules", "vite", "bin", "vite.js");
  execFileSync(process.execPath, [vite, "build", "--config", "web/vite.config.mjs", "--outDir", folder], {
    cwd: ROOT,
    stdio: "pipe",
  });
}

/** Serves a folder as any host would. */
export class PageServer {
  private constructor(private readonly server: Server) {}

  static async start(folder: string): Promise<PageServer> {
    const server = createServer(({ url = "" }, response) => {
      const path = normalize(decodeURIComponent(url.replace(/[?#].*/, "")));
      const file = join(folder, path.slice(FOLDER.length) || "index.html");
      if (!path.startsWith(FOLDER) || !existsSync(file)) response.writeHead(404).end();
      else {
        response.setHeader("Content-Type", TYPES[extname(file)] ?? "application/octet-stream");
        response.end(readFileSync(file));
      }
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new PageServer(server);
  }

  /** Of the page's folder; it ends in a slash. */
  get address(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}${FOLDER}`;
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}

export function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
}
