/** Set by vite.config.mjs: the files of the page that it needs offline, and a name that changes with any of them. */
declare const PAGE: { readonly version: string; readonly files: readonly string[] };
