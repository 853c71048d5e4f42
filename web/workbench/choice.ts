import type { NamesWith } from "../../src/gpt/base/settings";

/** A setting that the page supports: those of a build that define the model or its training. */
export type SettingName = NamesWith<"given", "anywhere"> & NamesWith<"kept", "model" | "record" | "run">;

/** Values as typed, by name of setting; an absent one has its default. */
export type Values = Readonly<Partial<Record<SettingName, string>>>;

/** What to train. The query of the page's address contains it, so that a link can. */
export interface Choice {
  /** The id of a list in lists.ts, or "own-" and a checksum for a custom one. */
  readonly list: string;
  readonly values: Values;
}
