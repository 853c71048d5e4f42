/* A user of a remote control, simulated: habits of three commands and more, with exceptions. */

export const COMMANDS = [
  "wake",
  "coffee",
  "lights",
  "blinds",
  "heat",
  "radio",
  "news",
  "leave",
  "arrive",
  "cook",
  "tv",
  "dim",
  "lock",
  "sleep",
];

const HABITS = [
  "wake blinds coffee radio news heat leave lock",
  "wake blinds coffee news radio leave lock",
  "wake lights blinds heat coffee radio leave lock",
  "arrive lights heat cook radio tv dim lock sleep",
  "arrive lights cook news tv dim sleep",
  "arrive heat lights radio cook tv news dim lock sleep",
].map((habit) => habit.split(" "));

/** The numbers of `count` commands: the morning and the evening of one day after the other. */
export function commandsOf(random, count) {
  const commands = new Uint8Array(count);
  let at = 0;
  let isMorning = true;
  while (at < count) {
    const habit = HABITS[random.index(3) + (isMorning ? 0 : 3)];
    for (const command of habit) {
      // Now and then something is forgotten, or something else comes first.
      if (random.uniform() < 0.06) continue;
      if (random.uniform() < 0.06) commands[at++] = random.index(COMMANDS.length);
      commands[at++] = COMMANDS.indexOf(command);
    }
    isMorning = !isMorning;
  }
  return commands;
}
