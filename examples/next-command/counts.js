/* What needs no neural network: how often each command came, and how often after the last one. */

export function frequency(size) {
  const counts = new Uint16Array(size);
  return { name: "frequency", scores: () => counts, learn: (_before, command) => void counts[command]++ };
}

export function bigram(size) {
  const counts = Array.from({ length: size }, () => new Uint16Array(size));
  return {
    name: "bigram",
    scores: (before) => counts[before[before.length - 1]],
    learn: (before, command) => void counts[before[before.length - 1]][command]++,
  };
}
