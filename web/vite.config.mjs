import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { marked } from "marked";
import { defineConfig } from "vite";

/** @param {string} path */
const at = (path) => fileURLToPath(new URL(path, import.meta.url));

/** Where `npm run release:full` writes the images. */
const RELEASE = process.env.ESP32GPT_RELEASE ?? at("../build/release/");

/**
 * Additional files of the output: the licence, and the images that `npm run release:full` has built.
 * @returns {import("vite").Plugin}
 */
function besides() {
  return {
    name: "besides",
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        /** @type {(fileName: string, file: string) => void} */
        const copy = (fileName, file) => {
          this.emitFile({ type: "asset", fileName, source: readFileSync(file) });
        };
        copy("LICENSE.txt", at("../LICENSE"));
        const licenses = bundle["licenses.md"];
        if (licenses?.type !== "asset") this.error("Vite has written no licenses.md.");
        // Bundled third-party code with its own licence, which Vite does not know.
        licenses.source = `${licenses.source}\n${readFileSync(at("licenses-of-parts.md"), "utf8")}`;
        const released = existsSync(`${RELEASE}index.json`) ? readdirSync(RELEASE) : [];
        const images = released.filter((name) => name === "index.json" || name.endsWith("-full.bin"));
        for (const name of images) copy(`images/${name}`, RELEASE + name);
        // What the images contain, and under which terms.
        if (images.length > 0)
          for (const name of readdirSync(at("licenses"))) copy(`licenses/${name}`, at(`licenses/${name}`));
        // An empty index tells the page that there are no images.
        if (images.length === 0)
          this.emitFile({ type: "asset", fileName: "images/index.json", source: '{ "images": [] }\n' });
      },
    },
  };
}

/**
 * The lesson of docs/ as a page beside the page, with the list that it uses.
 * @returns {import("vite").Plugin}
 */
function lesson() {
  return {
    name: "lesson",
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        const style = Object.keys(bundle).find((name) => /^assets\/index-.*\.css$/.test(name));
        if (style === undefined) this.error("Vite has written no style sheet.");
        const text = readFileSync(at("../docs/lesson.md"), "utf8")
          .replaceAll(/<!--.*?-->\n*/gs, "")
          // The other pages of docs/ are not here.
          .replaceAll(/\[([^\]]*)\]\((?!#|examples\/)[^)]*\)/g, "$1");
        const html = marked.parse(text, { async: false }).replaceAll(/<h([1-6])>(.*?)<\/h\1>/g, heading);
        const fileName = "lesson.html";
        this.emitFile({ type: "asset", fileName, source: `${HEAD.replace("STYLE", style)}${html}</main>\n</html>\n` });
        const planets = "examples/planets.txt";
        this.emitFile({ type: "asset", fileName: planets, source: readFileSync(at(`../docs/${planets}`)) });
      },
    },
  };
}

const HEAD = `<!doctype html>
<html lang="en">
<meta charset="utf-8" />
<meta
  http-equiv="Content-Security-Policy"
  content="default-src 'none'; style-src 'self'; img-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'"
/>
<meta name="viewport" content="width=device-width, initial-scale=1" />
<meta name="color-scheme" content="light dark" />
<title>A lesson · esp32gpt</title>
<link rel="icon" href="./icon.svg" />
<link rel="stylesheet" href="./STYLE" />
<main class="lesson">
<p><a href="./">Back to the page</a></p>
`;

/**
 * A heading with the anchor that Markdown pages give it.
 * @param {string} _
 * @param {string} level
 * @param {string} title
 */
function heading(_, level, title) {
  const anchor = title
    .toLowerCase()
    .replaceAll(/<[^>]*>|&[^;]*;|[^\p{L}\p{N} -]/gu, "")
    .replaceAll(" ", "-");
  return `<h${level} id="${anchor}">${title}</h${level}>`;
}

/** The module whose default export is the URL of the training worker. */
const WORKER_URL = "virtual:training-worker-url";

/**
 * Builds the training worker together with the page, so that both load the modules that they share from one file.
 * @returns {import("vite").Plugin}
 */
function trainingWorker() {
  let file = "";
  return {
    name: "training-worker",
    buildStart() {
      file = this.emitFile({ type: "chunk", id: at("worker/worker.ts"), name: "worker" });
    },
    resolveId: (id) => (id === WORKER_URL ? `\0${id}` : undefined),
    load: (id) => (id === `\0${WORKER_URL}` ? `export default import.meta.ROLLUP_FILE_URL_${file};` : undefined),
  };
}

/** Files that the page does without until somebody asks for them. */
const ON_REQUEST = /^images\/|^licenses|^LICENSE|\/esp[^/]*\/|\/esp(32|8266)|^service-worker\.js$/;
/** Files of web/public that it needs. */
const PUBLIC = ["icon.svg", "manifest.webmanifest"];

/**
 * Tells the service worker which files the page has, and a name that changes with any of them.
 * @returns {import("vite").Plugin}
 */
function offline() {
  return {
    name: "offline",
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        const files = Object.values(bundle)
          .filter(({ fileName }) => !ON_REQUEST.test(fileName))
          .sort((a, b) => (a.fileName < b.fileName ? -1 : 1));
        const hash = createHash("sha256");
        for (const file of files) hash.update(file.fileName).update(file.type === "chunk" ? file.code : file.source);
        for (const name of PUBLIC) hash.update(readFileSync(at(`public/${name}`)));
        const page = {
          version: hash.digest("hex").slice(0, 16),
          files: [...PUBLIC, ...files.map(({ fileName }) => fileName.replace(/^index\.html$/, "./"))],
        };
        const worker = bundle["service-worker.js"];
        if (worker?.type !== "chunk") this.error("Vite has built no service worker.");
        worker.code = `const PAGE=${JSON.stringify(page)};${worker.code}`;
      },
    },
  };
}

// The page: a static folder that can be served under any path.
export default defineConfig({
  root: at("."),
  base: "./",
  // As in rollup.config.mjs.
  resolve: { alias: [{ find: /^\.\/compositions$/, replacement: at("../src/places/compositions.ts") }] },
  plugins: [trainingWorker(), besides(), lesson(), offline()],
  build: {
    outDir: at("../build/web"),
    emptyOutDir: true,
    target: "es2023",
    // The page's content security policy forbids data: URLs and inline scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    license: { fileName: "licenses.md" },
    rolldownOptions: {
      input: { index: at("index.html"), "service-worker": at("service-worker/service-worker.ts") },
      output: {
        // Under a name that stays, as the browser looks for the next version there.
        entryFileNames: ({ name }) => (name === "service-worker" ? "[name].js" : "assets/[name]-[hash].js"),
        // Chunks that are loaded only for flashing go to a separate folder.
        chunkFileNames: ({ moduleIds }) =>
          moduleIds.some((id) => id.includes("esptool-js"))
            ? "assets/esptool/[name]-[hash].js"
            : "assets/[name]-[hash].js",
      },
    },
  },
});
