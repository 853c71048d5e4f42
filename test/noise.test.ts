import { Random } from "../src/gpt/model/random";
import { Noise } from "../src/client/noise";

/* Whether a monitor sees that it listens at another speed than the board speaks. */

const LOG = Array.from(
  { length: 1200 },
  (_, i) => `step ${String(i * 100).padStart(5)}/100000: loss = ${2 + i / 1e4}\r\n`,
);
const NAMES = Array.from({ length: 7000 }, (_, i) => `${["anais", "kelon", "maria", "tova", "jerin"][i % 5]}\r\n`);
const TEXTS = { log: LOG.join(""), names: NAMES.join("") };
const SPEEDS = [9600, 19_200, 38_400, 57_600, 74_880, 230_400, 460_800, 921_600];

/** What a UART reads at one speed of what another sends at another: a start bit, eight bits, a stop bit. */
function readAt(speed: number, sent: number, text: string): Buffer {
  const bits = Array.from(Buffer.from(text), (byte) => [0, ...Array.from({ length: 8 }, (_, i) => (byte >> i) & 1), 1]);
  const line = bits.flat();
  const level = (time: number): number => line[Math.floor(time * sent)] ?? 1;
  const bytes: number[] = [];
  const tick = 1 / (16 * speed);
  for (let time = 0; time < line.length / sent; time += tick) {
    if (level(time) === 1) continue;
    let byte = 0;
    for (let i = 0; i < 8; i++) byte |= level(time + (1.5 + i) / speed) << i;
    bytes.push(byte);
    // The next start bit comes after the line has been high.
    time += 9.5 / speed;
    while (level(time) === 0) time += tick;
  }
  return Buffer.from(bytes);
}

function isNoise(text: string): boolean {
  let found = 0;
  const noise = new Noise(() => found++);
  noise.take(text);
  return found > 0;
}

test.each(SPEEDS)("a board that speaks at %d is noticed at 115200, whatever it says", (sent) => {
  for (const whole of Object.values(TEXTS)) {
    const text = whole.slice(0, sent / 20); // half a second of it
    expect(readAt(sent, sent, text).toString()).toBe(text);
    expect(isNoise(readAt(115_200, sent, text).toString())).toBe(true);
  }
});

test("a cable that damages one byte of ten is no wrong speed", () => {
  const random = new Random(1);
  for (const text of Object.values(TEXTS)) {
    const bytes = Buffer.from(text);
    for (let i = 0; i < bytes.length; i++) if (random.index(10) === 0) bytes[i] ^= 1 << random.index(8);
    expect(isNoise(bytes.toString())).toBe(false);
  }
});
