import { bfloat16, float16 } from "../src/gpt/checkpoint/half";

/** The float32 with these bits. */
function float32(bits: number): number {
  return new Float32Array(Uint32Array.of(bits).buffer)[0];
}

/** Widened bit by bit: another way than the formula. */
function widened(bits: number): number {
  const sign = (bits & 0x8000) << 16;
  let exponent = (bits >> 10) & 0x1f;
  let fraction = bits & 0x3ff;
  if (exponent === 0x1f) return float32(sign | 0x7f800000 | (fraction << 13));
  if (exponent === 0) {
    if (fraction === 0) return float32(sign);
    for (exponent = 1; (fraction & 0x400) === 0; exponent--) fraction <<= 1;
  }
  return float32(sign | ((exponent + 112) << 23) | ((fraction & 0x3ff) << 13));
}

const all = Array.from({ length: 0x10000 }, (_, bits) => bits);

test("all float16 are read, -0, infinities and NaN too", () => {
  expect(all.filter((bits) => !Object.is(float16(bits), widened(bits)))).toEqual([]);
  expect([0x3c00, 0xc000, 0x7bff, 0x0001, 0x3555].map(float16)).toEqual([1, -2, 65504, 2 ** -24, 0.333251953125]);
});

test("all bfloat16 are the upper halves of float32", () => {
  expect(all.filter((bits) => !Object.is(bfloat16(bits), float32(bits << 16)))).toEqual([]);
});
