// npm run qemu: runs the firmware in Espressif's emulator. Its serial port is this terminal, and TCP port 5555 of
// 127.0.0.1 for `npm run monitor -- --port tcp://127.0.0.1:5555`.
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { InvalidArgumentError } from "commander";
import { main, ProgramFailed, ROOT, run, start, UserError, which } from "./command.mjs";
import { mergeImages, requireEsptool } from "./esptool.mjs";
import { readImages } from "./images.mjs";
import { buildFirmware, imageFolder, requireSdk, requireSettings } from "./sdk.mjs";

const EMULATOR = "qemu-system-xtensa";
const INSTALL = "`python $IDF_PATH/tools/idf_tools.py install qemu-xtensa`";
const FLASH_SIZE = 4 << 20;
const PORT = 5555;

await main("qemu", "Builds the firmware and runs it in Espressif's emulator.", (command) => {
  command
    .argument("[settings...]", "settings of the firmware, key=value; data=FILE embeds another dataset")
    .option("--image <file>", "run this merged image instead of building; its flash mode must be DIO")
    .option("--tcp <port>", "TCP port for the monitor", parsePort, PORT)
    .action(async (settings, { image, tcp }) => {
      const content = await requireSettings(settings, { board: "esp32", flash: "4mb" });
      if (image === undefined) requireSdk();
      await requireEmulator();
      const flash = writeFlash(image ?? (await buildMerged(content)));
      const code = await emulate(flash, tcp);
      if (code !== 0) throw new ProgramFailed(code);
    });
});

async function requireEmulator() {
  if (!which(EMULATOR)) throw new UserError(`${EMULATOR} is not on PATH: ${INSTALL} installs it.`);
  const { output } = await run(EMULATOR, ["-machine", "help"], { show: false, check: false });
  if (!/^esp32\b/m.test(output))
    throw new UserError(`The ${EMULATOR} on PATH does not support the ESP32: ${INSTALL} installs Espressif's.`);
}

/** @param {import("./sdk.mjs").Content} content */
async function buildMerged(content) {
  await requireEsptool();
  const build = /** @type {const} */ ({ board: "esp32", flash: "4mb", isEmulated: true });
  await buildFirmware(build, content);
  const { chip, parts } = readImages(imageFolder(build), "the build printed the reason above.");
  const output = join(ROOT, "build", "firmware", "qemu", "merged.bin");
  await mergeImages(chip.name, parts, output);
  return output;
}

/**
 * Writes a file of the size of the emulator's flash chip, which the firmware may modify.
 * @param {string} image
 */
function writeFlash(image) {
  let bytes;
  try {
    bytes = readFileSync(image);
  } catch {
    throw new UserError(`${image} cannot be read: \`npm run release:full\` builds such an image.`);
  }
  if (bytes.length > FLASH_SIZE) throw new UserError(`${image} is larger than the emulator's flash of 4 MB.`);
  const file = join(ROOT, "build", "firmware", "qemu", "flash.bin");
  mkdirSync(join(file, ".."), { recursive: true });
  const flash = new Uint8Array(FLASH_SIZE).fill(0xff);
  flash.set(bytes);
  writeFileSync(file, flash);
  return file;
}

/**
 * @param {string} flash
 * @param {number} port
 * @returns {Promise<number>} the emulator's exit code
 */
async function emulate(flash, port) {
  /** @type {Set<import("node:net").Socket>} */
  const monitors = new Set();
  const server = createServer();
  try {
    await once(server.listen(port, "127.0.0.1"), "listening");
  } catch {
    throw new UserError(`TCP port ${port} is in use: choose another with --tcp.`);
  }
  const address = /** @type {import("node:net").AddressInfo} */ (server.address());
  console.error(`Serial port: this terminal, and tcp://127.0.0.1:${address.port}. Ctrl-C ends the emulator.`);

  const drive = `file=${flash.replaceAll(",", ",,")},if=mtd,format=raw`;
  const options = ["-machine", "esp32", "-display", "none", "-monitor", "none", "-serial", "stdio", "-drive", drive];
  const emulator = start(EMULATOR, options, { stdio: ["pipe", "pipe", "inherit"] });
  const { stdin, stdout } = emulator;
  if (!stdin || !stdout) throw new Error("the emulator was started without pipes");
  stdin.on("error", () => {});
  stdout.on("data", (bytes) => {
    process.stdout.write(bytes);
    for (const monitor of monitors) monitor.write(bytes);
  });
  process.stdin.on("data", (bytes) => stdin.write(bytes));
  server.on("connection", (monitor) => {
    monitors.add(monitor);
    monitor.on("data", (bytes) => stdin.write(bytes));
    monitor.on("error", () => {}).on("close", () => monitors.delete(monitor));
  });

  const code = await new Promise((resolve, reject) => {
    emulator.on("error", reject).on("close", (code) => resolve(code ?? 0));
  });
  process.stdin.destroy();
  server.close();
  for (const monitor of monitors) monitor.end();
  return code;
}

/** @param {string} text */
function parsePort(text) {
  if (!/^\d+$/.test(text) || Number(text) > 0xffff) throw new InvalidArgumentError("It must be 0 to 65535.");
  return Number(text);
}
