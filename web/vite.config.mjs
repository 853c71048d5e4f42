import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

/** @param {string} path */
const at = (path) => fileURLToPath(new URL(path, import.meta.url));

const RELEASE = at("../build/release/");

/**
 * What the folder has besides the page: the licence, and the full images that `npm run release:full` has built.
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
        // Parts of packages that have a licence of their own, of which Vite knows nothing.
        licenses.source = `${licenses.source}\n${readFileSync(at("licenses-of-parts.md"), "utf8")}`;
        const released = existsSync(`${RELEASE}index.json`) ? readdirSync(RELEASE) : [];
        const images = released.filter((name) => name === "index.json" || name.endsWith("-full.bin"));
        for (const name of images) copy(`images/${name}`, RELEASE + name);
        // Whoever looks for images finds that there are none.
        if (images.length === 0)
          this.emitFile({ type: "asset", fileName: "images/index.json", source: '{ "images": [] }\n' });
      },
    },
  };
}

// The page: a folder that any host can serve, under any path.
export default defineConfig({
  root: at("."),
  base: "./",
  plugins: [besides()],
  build: {
    outDir: at("../build/web"),
    emptyOutDir: true,
    target: "es2023",
    // What the page's security policy forbids: data: addresses, and a script inside the page.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    license: { fileName: "licenses.md" },
    rolldownOptions: {
      output: {
        // What is loaded only when somebody flashes lies apart.
        chunkFileNames: ({ moduleIds }) =>
          moduleIds.some((id) => id.includes("esptool-js"))
            ? "assets/esptool/[name]-[hash].js"
            : "assets/[name]-[hash].js",
      },
    },
  },
  worker: { format: "es" },
});
