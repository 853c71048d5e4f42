// A Rollup plugin that transpiles TypeScript file by file; npm run typecheck checks the types.
import { dirname, join } from "node:path";
import { ModuleKind, ScriptTarget, transpileModule } from "typescript";

/** Comments are removed, because XS parses the whole program at every start. */
const compilerOptions = {
  target: ScriptTarget.ES2023,
  module: ModuleKind.ESNext,
  removeComments: true,
  sourceMap: true,
  verbatimModuleSyntax: true,
};

/** @returns {import("rollup").Plugin} */
export function transpile() {
  return {
    name: "transpile",
    resolveId(id, importer) {
      return importer !== undefined && id.startsWith(".") ? join(dirname(importer), `${id}.ts`) : null;
    },
    transform(code, fileName) {
      const { outputText, sourceMapText } = transpileModule(code, { compilerOptions, fileName });
      return { code: outputText.replace(/^\/\/# sourceMappingURL=.*$/m, ""), map: sourceMapText ?? null };
    },
  };
}
