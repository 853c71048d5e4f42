const END = "\n";

/**
 * The cost of words, in nats a letter, to somebody who has counted which letter follows which in these words, and counts
 * one more of every pair. The end of a word is a letter too.
 * @param characters number of characters of the whole list
 * @param weighs "names": the mean over the letters of a word, then over the words; "tokens": over all letters
 */
export function pairCostOf(words: readonly string[], characters: number, weighs: "names" | "tokens"): number {
  const pairs = new Map<string, number>();
  const firsts = new Map<string, number>();
  const add = (counts: Map<string, number>, key: string): void => void counts.set(key, (counts.get(key) ?? 0) + 1);
  const firstOf = (pair: string): string => Array.from(pair)[0];
  const pairsOf = (word: string): string[] => {
    const letters = [END, ...Array.from(word), END];
    return letters.slice(1).map((letter, i) => `${letters[i]}${letter}`);
  };
  for (const pair of words.flatMap(pairsOf)) {
    add(pairs, pair);
    add(firsts, firstOf(pair));
  }
  const costOf = (pair: string): number =>
    -Math.log(((pairs.get(pair) ?? 0) + 1) / ((firsts.get(firstOf(pair)) ?? 0) + characters + 1));
  const costs = words.map((word) => pairsOf(word).map(costOf));
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  return weighs === "names" ? mean(costs.map(mean)) : mean(costs.flat());
}
