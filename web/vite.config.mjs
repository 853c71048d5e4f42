import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

/** @param {string} path */
const at = (path) => fileURLToPath(new URL(path, import.meta.url));

// The page: a folder that any host can serve, under any path.
export default defineConfig({
  root: at("."),
  base: "./",
  build: {
    outDir: at("../build/web"),
    emptyOutDir: true,
    target: "es2023",
    // What the page's security policy forbids: data: addresses, and a script inside the page.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    license: { fileName: "licenses.md" },
  },
  worker: { format: "es" },
});
