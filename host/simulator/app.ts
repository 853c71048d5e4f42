import { statSync } from "node:fs";
import { once } from "node:events";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { InputError, printable } from "../../src/gpt/base/errors";
import type { Output } from "../files/output";
import { bundleNamed, failureOf, memoryBudgetOf, startXs, type XsOptions } from "../xs/engine";
import type { AppRequest } from "../xs/protocol";
import { ROOT } from "../xs/sources";

/*
 * `simulate --app FOLDER`: an app for a device, as examples/ has them, runs on this computer. Its main.js or main.ts, and what that
 * imports become one bundle, with this package as "esp32gpt" and "esp32gpt/platform".
 */

const ENDINGS = Object.freeze([".js", ".ts"]);

/** What an app runs in. */
export interface AppPlace {
  /** XS with the memory of a chip; undefined for Node. */
  readonly xs: XsOptions | undefined;
  /** Folder for its storage, and for the bundle. */
  readonly folder: string;
  readonly dtype: AppRequest["dtype"];
  readonly stats: boolean;
}

/**
 * Runs an app until its main() has ended and nothing is scheduled any more, or until `ending` is aborted.
 * @param path its folder, or its main file
 * @throws InputError if there is no app, if it cannot be bundled, or if the heap is full
 */
export async function runApp(path: string, place: AppPlace, output: Output, ending: AbortSignal): Promise<void> {
  const main = mainOf(path);
  const bundle = join(place.folder, "app.js");
  await bundleApp(main, place.xs !== undefined, bundle);
  ending.throwIfAborted();
  await (place.xs ? onXs(bundle, place, place.xs, output, ending) : onNode(bundle, place.folder, ending));
}

function mainOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  const files = found?.isDirectory() ? ENDINGS.map((ending) => join(path, `main${ending}`)) : [path];
  const main = files.find(isFile);
  if (main === undefined)
    throw new InputError(
      `There is no app ${printable(path, 200)}: an app is a folder with a main.js or main.ts, or such a file.`,
    );
  return resolve(main);
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** The JavaScript of a module, with its source map; types are not checked. */
async function javaScriptOf(code: string, fileName: string): Promise<{ code: string; map: string | null }> {
  const { default: ts } = await import("typescript").catch(() => {
    throw new InputError("An app in TypeScript needs its compiler: npm install --save-dev typescript brings it.");
  });
  const compilerOptions = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, sourceMap: true };
  const { outputText, sourceMapText = null } = ts.transpileModule(code, { compilerOptions, fileName });
  return { code: outputText.replace(/^\/\/# sourceMappingURL=.*$/m, ""), map: sourceMapText };
}

/** Makes one file of the app, whose default export runs it. */
async function bundleApp(main: string, isForXs: boolean, file: string): Promise<void> {
  const { rollup } = await import("rollup").catch(() => {
    throw new InputError(
      "simulate --app needs rollup, which makes one file of an app: npm install --save-dev rollup brings it.",
    );
  });
  const dist = join(ROOT, "dist");
  const modules: Readonly<Record<string, string>> = isForXs
    ? { esp32gpt: bundleNamed("app"), "esp32gpt/platform": bundleNamed("app"), "esp32gpt/run": bundleNamed("app") }
    : { esp32gpt: join(dist, "index.js"), "esp32gpt/platform": join(dist, "node.js") };
  const entry = isForXs
    ? `import main from ${JSON.stringify(main)};\nimport { runApp } from "esp32gpt/run";\nexport default () => runApp(main);\n`
    : `export { default } from ${JSON.stringify(main)};\n`;
  try {
    const build = await rollup({
      input: "app",
      logLevel: "silent",
      plugins: [
        {
          name: "app",
          resolveId(id, importer) {
            if (importer === undefined) return id;
            const own = Object.hasOwn(modules, id) ? modules[id] : undefined;
            if (own !== undefined) return isForXs ? own : { id: pathToFileURL(own).href, external: true };
            if (isAbsolute(id)) return id;
            if (!id.startsWith("."))
              throw new InputError(
                `${printable(basename(importer))} imports "${printable(id)}", which a simulated device does not have: it has esp32gpt and esp32gpt/platform.`,
              );
            const path = join(dirname(importer), id);
            return [path, ...ENDINGS.map((ending) => path + ending)].find(isFile) ?? path;
          },
          load: (id) => (id === "app" ? entry : null),
          transform: (code, id) => (id.endsWith(".ts") ? javaScriptOf(code, id) : null),
        },
      ],
    });
    await build.write({ file, format: "es", sourcemap: true });
    await build.close();
  } catch (error) {
    throw new InputError(
      `The app cannot be bundled: ${printable(error instanceof Error ? error.message : String(error), 300)}`,
    );
  }
}

async function onXs(
  bundle: string,
  { folder, dtype, stats }: AppPlace,
  xs: XsOptions,
  output: Output,
  ending: AbortSignal,
): Promise<void> {
  const request: AppRequest = { folder, dtype, memory: memoryBudgetOf(xs), stats };
  const child = startXs(bundle, request, undefined, xs);
  child.stdin.on("error", () => undefined); // The app may have ended.
  child.stdin.end();
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complaint += text));
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output.write(text);
    child.stdout.pause();
    output.whenReady(() => child.stdout.resume());
  });
  const stop = (): void => void child.kill("SIGKILL");
  ending.addEventListener("abort", stop);
  output.whenLost(stop);
  try {
    const [exitCode] = (await once(child, "close")) as [number | null];
    ending.throwIfAborted();
    if (exitCode === 0 && stats) console.error(complaint.trim());
    if (exitCode !== 0 && output.trouble === undefined) throw await failureOf(bundle, exitCode, complaint);
  } finally {
    ending.removeEventListener("abort", stop);
  }
}

/** In this process, and in the folder of its storage. */
async function onNode(bundle: string, folder: string, ending: AbortSignal): Promise<void> {
  const { default: main } = (await import(pathToFileURL(bundle).href)) as { default: () => unknown };
  process.chdir(folder);
  const aborted = new Promise<never>((_, reject) => {
    ending.addEventListener("abort", () => reject(ending.reason as Error));
  });
  const idle = async (): Promise<void> => {
    await main();
    // What it has scheduled still runs.
    await once(process, "beforeExit");
  };
  await Promise.race([idle(), aborted]);
}
