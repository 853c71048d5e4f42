import { InputError } from "../base/errors";
import { Vocabulary, type VocabularyOptions } from "./vocabulary";

/*
 * A vocabulary in the metadata of a checkpoint or a resource: its characters, or the names of its symbols, and what is
 * not as by default.
 */

type VocabularyKey = "vocabulary" | "symbols" | "add_bos" | "add_eos" | "unknown";

export function formatVocabulary(vocabulary: Vocabulary): Map<VocabularyKey, string> {
  const { names, addBos, addEos, unknownToken } = vocabulary;
  const entries = new Map<VocabularyKey, string>(
    names ? [["symbols", names.join(" ")]] : [["vocabulary", String(vocabulary)]],
  );
  if (!addBos) entries.set("add_bos", "false");
  if (!addEos) entries.set("add_eos", "false");
  if (unknownToken > 0) entries.set("unknown", vocabulary.characterOf(unknownToken));
  return entries;
}

/**
 * The vocabulary in the metadata; undefined if there is none.
 * @throws InputError if it is not valid
 */
export function readVocabulary(metadata: ReadonlyMap<string, string>): Vocabulary | undefined {
  const unknown = metadata.get("unknown");
  const options: VocabularyOptions = {
    addBos: flag(metadata, "add_bos"),
    addEos: flag(metadata, "add_eos"),
    ...(unknown !== undefined && { unknown }),
  };
  const symbols = metadata.get("symbols");
  if (symbols !== undefined) return Vocabulary.ofSymbols(symbols.split(" "), options);
  const characters = metadata.get("vocabulary");
  return characters === undefined ? undefined : Vocabulary.of(characters, options);
}

function flag(metadata: ReadonlyMap<string, string>, key: "add_bos" | "add_eos"): boolean {
  const value = metadata.get(key) ?? "true";
  if (value !== "true" && value !== "false") throw new InputError(`Its ${key} is neither true nor false.`);
  return value === "true";
}
