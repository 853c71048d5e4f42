import { crc32 as zlibCrc32 } from "node:zlib";
import fc from "fast-check";
import { crc32 } from "../src/gpt/base/crc32";
import { utf8 } from "./helpers";

test("has the published check value", () => {
  expect(crc32(utf8("123456789"))).toBe(0xcbf43926);
  expect(crc32(new Uint8Array(0))).toBe(0);
});

test("agrees with zlib, also over a part, and piece by piece", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 200 }), (a, b) => {
      const whole = Uint8Array.of(...a, ...b);
      expect(crc32(whole)).toBe(zlibCrc32(whole));
      expect(crc32(whole.subarray(0, a.length))).toBe(zlibCrc32(a));
      expect(crc32(b, crc32(a))).toBe(zlibCrc32(whole));
    }),
  );
});
