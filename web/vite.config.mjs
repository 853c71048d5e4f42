import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

/** @param {string} path */
const at = (path) => fileURLToPath(new URL(path, import.meta.url));

const RELEASE = at("../build/release/");

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
        // An empty index tells the page that there are no images.
        if (images.length === 0)
          this.emitFile({ type: "asset", fileName: "images/index.json", source: '{ "images": [] }\n' });
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
  plugins: [besides()],
  build: {
    outDir: at("../build/web"),
    emptyOutDir: true,
    target: "es2023",
    // The page's content security policy forbids data: URLs and inline scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    license: { fileName: "licenses.md" },
    rolldownOptions: {
      output: {
        // Chunks that are loaded only for flashing go to a separate folder.
        chunkFileNames: ({ moduleIds }) =>
          moduleIds.some((id) => id.includes("esptool-js"))
            ? "assets/esptool/[name]-[hash].js"
            : "assets/[name]-[hash].js",
      },
    },
  },
  worker: { format: "es" },
});
