import { cbrt, cos, type ElementaryFunctions, exp, log, pow, sin } from "./elementary";

/** The functions of elementary.ts: the same bits on every engine. */
export const portableFunctions: ElementaryFunctions = Object.freeze({ log, sin, cos, exp, pow, cbrt });
