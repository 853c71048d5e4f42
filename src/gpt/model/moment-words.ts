import type { Codec, Stored } from "./ops";

/*
 * Adam's moments in words of 32 bits, one for each parameter: bits 31 to 16 of the float m, which are a bfloat16, in bits
 * 31 to 16, and bits 30 to 15 of the float v, whose sign is 0, in bits 15 to 0. Each is rounded to the nearest such number,
 * the larger of two. A checkpoint stores both as float32, exactly.
 */

const M_BITS = 0xffff0000;
const V_BITS = 0x7fff8000;
const V_SHIFT = 15;

/** Reads and writes words. It has a buffer of 8 bytes, so that a training allocates nothing. */
export class MomentWords implements Codec {
  private readonly bits = new DataView(new ArrayBuffer(8));

  m(word: number): number {
    const { bits } = this;
    bits.setInt32(0, word & M_BITS);
    return bits.getFloat32(0);
  }

  v(word: number): number {
    const { bits } = this;
    bits.setInt32(0, (word << V_SHIFT) & V_BITS);
    return bits.getFloat32(0);
  }

  /** The word of two moments. */
  word(m: number, v: number): number {
    const { bits } = this;
    bits.setFloat32(0, m);
    bits.setFloat32(4, v);
    return ((bits.getInt32(0) + 0x8000) & M_BITS) | ((bits.getInt32(4) + 0x4000) >>> V_SHIFT);
  }

  decode(floats: Float32Array, words: Int32Array, from: number, what: Stored): void {
    for (let i = 0; i < floats.length; i++)
      floats[i] = what === "m" ? this.m(words[from + i]) : this.v(words[from + i]);
  }

  /** Of the other moment nothing changes. */
  encode(words: Int32Array, from: number, floats: Float32Array, what: Stored): void {
    for (let i = 0; i < floats.length; i++) {
      const word = words[from + i];
      words[from + i] = what === "m" ? this.word(floats[i], this.v(word)) : this.word(this.m(word), floats[i]);
    }
  }
}
