import { relative } from "node:path";
import js from "@eslint/js";
import tseslint from "typescript-eslint";
import { allManifests, modulesOf } from "./scripts/preload.mjs";

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

const REGULAR_EXPRESSIONS = ["Literal[regex]", ":matches(NewExpression, CallExpression)[callee.name='RegExp']"];
/** Methods that compile a string to a regular expression. */
const MAKE_REGULAR_EXPRESSIONS = "CallExpression[callee.property.name=/^(match|matchAll|search)$/]";

/** What ECMAScript leaves to the engine, in the last bits of its results. */
const INEXACT = [
  ...[
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cbrt",
    "cos",
    "cosh",
    "exp",
    "expm1",
    "hypot",
    "log",
  ],
  ...["log10", "log1p", "log2", "pow", "sin", "sinh", "tan", "tanh"],
];
const POWERS = ":matches(BinaryExpression[operator='**'], AssignmentExpression[operator='**='])";
const OF_ENGINES = "The last bits of this are the engine's choice: see src/gpt/base/elementary.ts.";

/** The files of src/ that are preloaded into flash. */
const preloaded = allManifests()
  .flatMap((file) => [...modulesOf(file).values()].flat())
  .map((file) => relative(import.meta.dirname, file));

export default tseslint.config(
  { ignores: ["dist/", "build/", "coverage/"] },
  js.configs.recommended,
  // Regular expressions search for terminal control characters on purpose, to escape them.
  { rules: { "no-control-regex": "off", "no-duplicate-imports": "error" } },
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
  {
    // Tests are skipped only with test/support/skipping.ts, so that CI can forbid it.
    files: ["test/**/*.ts"],
    rules: {
      "no-restricted-syntax": [
        "error",
        {
          selector: "MemberExpression[object.name=/^(test|it|describe)$/][property.name=/^(skip|only|todo|failing)$/]",
          message: "Say what is missing with skipUnless.",
        },
        {
          selector: "CallExpression[callee.name=/^[fx](it|test|describe)$/]",
          message: "Say what is missing with skipUnless.",
        },
      ],
    },
  },
  { files: ["**/*.js", "**/*.mjs"], languageOptions: { globals: nodeGlobals } },
  {
    files: ["bin/*.js", "**/*.cjs"],
    languageOptions: { sourceType: "commonjs", globals: { ...nodeGlobals, __dirname: "readonly" } },
  },
  {
    // The core runs on every engine: it may use only the language itself.
    files: ["src/**/*.ts"],
    ignores: ["src/places/**", "src/firmware/**", "src/gpt/native/**"],
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
  {
    // XS reports unhandled rejections late or never: see src/gpt/base/unattended.ts.
    files: ["src/**/*.ts", "host/xs/**/*.ts"],
    ignores: ["src/places/{node,browser}/**"],
    rules: { "no-void": "error", "@typescript-eslint/no-floating-promises": ["error", { ignoreVoid: false }] },
  },
  {
    // Modules have no side effects when they load.
    files: ["src/**/*.ts"],
    rules: {
      "no-restricted-syntax": [
        "error",
        ...REGULAR_EXPRESSIONS.map((selector) => ({
          selector: `${selector}:not(:function *)`,
          message: "No regular expression at the top of a module of src/: see src/gpt/base/text.ts.",
        })),
      ],
    },
  },
  {
    files: preloaded,
    rules: {
      "no-restricted-syntax": [
        "error",
        ...[...REGULAR_EXPRESSIONS, MAKE_REGULAR_EXPRESSIONS].map((selector) => ({
          selector,
          message: "No regular expression in the firmware: see src/gpt/base/text.ts.",
        })),
        { selector: POWERS, message: OF_ENGINES },
      ],
    },
  },
  {
    files: ["src/**/*.ts"],
    // The ops in floats are fast rather than exact.
    ignores: ["src/gpt/base/elementary.ts", "src/gpt/model/typescript-{forward,ops}.ts"],
    rules: {
      "no-restricted-properties": [
        "error",
        ...INEXACT.map((property) => ({ object: "Math", property, message: OF_ENGINES })),
      ],
    },
  },
);
