import { crc32 } from "node:zlib";
import fc from "fast-check";
import { decodeBase64, encodeBase64 } from "../../src/protocol/base64";
import { isTagged, LARGEST_ID, openLine, readTagged, sealLine, tagCommand } from "../../src/protocol/lines";

const hex = (text: string): string => crc32(text).toString(16).padStart(8, "0");

describe("base64", () => {
  test("has the vectors of RFC 4648", () => {
    const vectors = ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"];
    for (const [length, text] of vectors.entries()) {
      const bytes = Uint8Array.from(Buffer.from("foobar").subarray(0, length));
      expect(encodeBase64(bytes)).toBe(text);
      expect(decodeBase64(text)).toEqual(bytes);
    }
  });

  test("is Buffer's, both ways", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const text = Buffer.from(bytes).toString("base64");
        expect(encodeBase64(bytes)).toBe(text);
        expect(decodeBase64(text)).toEqual(Uint8Array.from(bytes));
      }),
    );
  });

  test("of any other text is refused: what is taken comes out again", () => {
    for (const text of ["Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Zm 9", "Zm9\n", "Zm-_"])
      expect([text, decodeBase64(text)]).toEqual([text, undefined]);
    fc.assert(
      fc.property(fc.string({ maxLength: 12, unit: fc.constantFrom(...Array.from("AZaz09+/=- é\n")) }), (text) => {
        const bytes = decodeBase64(text);
        if (bytes) expect(encodeBase64(bytes)).toBe(text);
      }),
    );
  });
});

describe("a line from the device", () => {
  test("has its number in front and zlib's checksum behind", () => {
    const body = '{"n":12,"type":"name","number":1,"name":"zoë"';
    expect(sealLine(12, { type: "name", number: 1, name: "zoë" })).toBe(`${body},"crc":"${hex(body)}"}`);
  });

  test("comes apart into what it was made of", () => {
    fc.assert(
      fc.property(fc.nat(), fc.string({ unit: "grapheme" }), fc.jsonValue(), (n, text, value) => {
        const opened = openLine(sealLine(n, { type: "x", text: text, value }));
        expect(opened).toEqual({ n, type: "x", text: text, value: JSON.parse(JSON.stringify(value)) as unknown });
      }),
    );
  });

  test("is passed over with any one character changed, put in or taken out", () => {
    const line = sealLine(7, { type: "step", loss: 2.5 });
    fc.assert(
      fc.property(fc.nat(line.length - 1), fc.constantFrom("", "0", "x", '"', "}", "é"), fc.nat(1), (at, put, cut) => {
        const other = line.slice(0, at) + put + line.slice(at + cut);
        if (other !== line) expect(openLine(other)).toBeUndefined();
      }),
    );
  });

  test("is none without a number and a type, whatever its checksum", () => {
    for (const body of ['{"type":"x"', '{"n":1', '{"n":"1","type":"x"', '{"n":1.5,"type":"x"', '{"n":1,"type":2', "{"])
      expect([body, openLine(`${body},"crc":"${hex(body)}"}`)]).toEqual([body, undefined]);
    for (const body of [' {"n":1,"type":"x"', '{"n":1,"type":"x",', '{"n":1,"type":"x"}'])
      expect([body, openLine(`${body},"crc":"${hex(body)}"}`)]).toEqual([body, undefined]);
    for (const text of ["", "{", "{}", "null", "step    0/1000: loss = 3.2986"]) expect(openLine(text)).toBeUndefined();
  });
});

describe("a tagged command", () => {
  test("has its number and zlib's checksum in front", () => {
    expect(tagCommand(17, "status")).toBe(`@17 ${hex("17 status")} status`);
    expect(readTagged(tagCommand(17, "add zoë"))).toEqual({ id: 17, command: "add zoë" });
    expect(readTagged(tagCommand(17, ""))).toBeUndefined();
  });

  test("is none with any one character changed", () => {
    const line = tagCommand(17, "generate 5 0.6 mar");
    fc.assert(
      fc.property(fc.nat(line.length - 1), fc.constantFrom("", "0", "1", " ", "@", "é"), (at, put) => {
        const other = line.slice(0, at) + put + line.slice(at + 1);
        if (other !== line) expect(readTagged(other)).toBeUndefined();
      }),
    );
  });

  test("has a number from 1 to 65535", () => {
    for (const id of [0, -1, 1.5, LARGEST_ID + 1, 1e6]) expect(readTagged(tagCommand(id, "status"))).toBeUndefined();
    expect(readTagged(tagCommand(LARGEST_ID, "status"))?.id).toBe(LARGEST_ID);
    expect([isTagged("@x"), isTagged("status")]).toEqual([true, false]);
  });
});
