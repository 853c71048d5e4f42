import js from "@eslint/js";
import tseslint from "typescript-eslint";

/** @type {Record<string, "readonly">} */
const nodeGlobals = {
  console: "readonly",
  process: "readonly",
  URL: "readonly",
  performance: "readonly",
  Buffer: "readonly",
  setTimeout: "readonly",
  clearTimeout: "readonly",
};

export default tseslint.config(
  { ignores: ["dist/", "build/", "coverage/"] },
  js.configs.recommended,
  // Escape codes of terminals are looked for on purpose here, lest they get through.
  { rules: { "no-control-regex": "off" } },
  {
    files: ["**/*.{ts,tsx}"],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/no-meaningless-void-operator": "off",
      "@typescript-eslint/prefer-for-of": "off",
      "@typescript-eslint/no-unnecessary-condition": ["error", { allowConstantLoopConditions: true }],
    },
  },
  { files: ["**/*.js", "**/*.mjs"], languageOptions: { globals: nodeGlobals } },
  {
    // The core runs on every engine: it may lean on nothing but the language.
    files: ["src/**/*.ts"],
    ignores: ["src/moddable/**"],
    rules: {
      "no-restricted-imports": ["error", { patterns: [{ regex: "^[^.]", message: "src/ imports only from src/." }] }],
      "no-restricted-globals": [
        "error",
        "process",
        "console",
        "performance",
        "setTimeout",
        "Buffer",
        "window",
        "document",
        "TextDecoder",
        "TextEncoder",
      ],
    },
  },
);
