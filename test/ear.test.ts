import { Ear } from "../web/board/ear";

/** What a chip prints before any program runs. */
const ROM = [
  "ets Jul 29 2019 12:21:46",
  "",
  "rst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)",
  "configsip: 0, SPIWP:0xee",
  "clk_drv:0x00,q_drv:0x00,d_drv:0x00,cs0_drv:0x00,hd_drv:0x00,wp_drv:0x00",
  "mode:DIO, clock div:2",
  "load:0x3fff0030,len:1184",
  "ho 0 tail 12 room 4",
  "entry 0x400805e4",
];

function heard(...lines: readonly string[]): string | undefined {
  const ear = new Ear();
  for (const character of lines.map((line) => `${line}\r\n`).join("")) ear.take(character);
  return ear.sign;
}

test("what the ROM says is no program", () => {
  expect(heard()).toBeUndefined();
  expect(heard(...ROM)).toBeUndefined();
  expect(heard(...ROM, "Hello from a blinking light")).toBe("text");
});

test("a prompt has no line end", () => {
  const ear = new Ear();
  ear.take(">>> ");
  expect(ear.sign).toBe("text");
});

test("an empty flash and the download mode are told by the ROM", () => {
  expect(heard(...ROM.slice(0, 3), "invalid header: 0xffffffff", "invalid header: 0xffffffff")).toBe("empty");
  expect(heard(...ROM.slice(0, 3), "flash read err, 1000", "ets_main.c 371 ")).toBe("empty");
  expect(heard(...ROM.slice(0, 3), "waiting for download")).toBe("loader");
  // It was reset since.
  expect(heard("waiting for download", ...ROM)).toBeUndefined();
});

test("a line without end takes no room", () => {
  const ear = new Ear();
  for (let i = 0; i < 1000; i++) ear.take("x".repeat(1000));
  expect(JSON.stringify(ear).length).toBeLessThan(1000);
  expect(ear.sign).toBe("text");
});
