import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Index, parseIndex } from "../web/board/image-index";
import { ROOT } from "./helpers";
import { temporaryFolder } from "./support/cli";
import { buildsIn, codename, image, version } from "./support/firmware-build";
import { expectRefusal } from "./support/programs";
import { bare, onPosix, programsIn, script } from "./support/scripts";
import { skipUnless } from "./support/skipping";

const at = temporaryFolder();
const writeProgram = programsIn(at);
const writeBuild = buildsIn(at);
/** A PATH with nothing on it. */
const NOWHERE = at("nowhere");

describe("without the SDK", () => {
  test.each(["build", "flash", "debug", "release", "qemu"])("%s says what is missing", async (name) => {
    expectRefusal(await script(name), /MODDABLE is not set.*npx xs-dev@latest setup --release 8\.2\.3/);
  });

  test("names a folder that is no SDK", async () => {
    expectRefusal(await script("build", [], { MODDABLE: ROOT + "x" }), /x, which is not a Moddable SDK.*xs-dev/);
  });

  test("names a tool that is missing", async () => {
    mkdirSync(at("sdk/build"), { recursive: true });
    expectRefusal(await script("build", [], { MODDABLE: at("sdk"), PATH: NOWHERE }), /mcconfig.*not on PATH.*xs-dev/);
  });

  onPosix("misses ESP-IDF", async () => {
    const tools = ["mcconfig", "make"].map((tool) => writeProgram("tools", tool, ""))[0];
    const env = { MODDABLE: at("sdk"), PATH: tools };
    expectRefusal(await script("build", [], env), /IDF_PATH is not set.*xs-dev@latest setup --device esp32/);
    expectRefusal(await script("build", [], { ...env, IDF_PATH: at("sdk") }), /sdk, which is not ESP-IDF.*xs-dev/);
  });

  test("test:moddable is skipped", async () => {
    expect(await script("test-moddable")).toEqual({ code: 0, stdout: "skipped: MODDABLE is not set.\n", stderr: "" });
  });

  test.each(["erase", "flash --from FOLDER", "release --full --from FOLDER"])("%s misses esptool", async (line) => {
    const [name, ...options] = line.split(" ").map((word) => word.replace("FOLDER", at("none")));
    expectRefusal(await script(name, options, { PATH: NOWHERE }), /esptool is missing.*pip install esptool/);
  });

  test("qemu misses the emulator", async () => {
    expectRefusal(
      await script("qemu", ["--image", "x"], { PATH: NOWHERE }),
      /qemu-system-xtensa is not on PATH.*install/,
    );
  });
});

test.each<[string, RegExp]>([
  ["build --board esp8266", /--board.*esp32\//],
  ["build --flash 2mb", /4mb, 8mb/],
  ["build --debug --instrumented", /cannot be used with/],
  ["flash --attempts 0", /--attempts.*from 1/],
  ["qemu --tcp 65536", /--tcp.*65535/],
  ["qemu frobnicate", /frobnicate is not a setting.*steps=500/],
  ["qemu step=500", /no setting step: .*steps/],
  ["qemu ops=js", /ops must be .*native.*not js/],
  ["qemu port=com3", /port must be auto or uart or usb, not com3/],
  ["qemu port=usb", /ESP32: this chip has no USB: port must be auto or uart/],
  ["qemu transmit=tx", /transmit must be .*not tx/],
  ["qemu steps=5 steps=abc", /steps must be a whole number.*not abc/],
  ["qemu learning_rate=fast", /learning_rate must be .*not fast/],
  ["qemu n_embd=30", /n_embd \(30\) must be a multiple of n_head/],
  ["qemu data=test/data/alphabet/characters-256.txt", /characters-256\.txt, line 211: the list has 256 different/],
  ["qemu data=no-such-file", /no-such-file: there is no such file/],
  ["qemu data=test/data/alphabet/characters-255.txt", /ESP32: .* n_embd \d+ would fit/],
  ["qemu dtype=i16", /dtype must be f32 or f64 or i32, not i16/],
  ["qemu n_embd=64", /ESP32.* needs \d+ bytes.*n_embd \d+ would fit/],
  ["qemu constructor=1", /no setting constructor/],
  ["qemu a\x1b[2J=1", /a\\u\{1b\}\[2J=1 is not a setting/],
  ["erase --frobnicate", /unknown option '--frobnicate'/],
  ["release --full --source ftp://example.org", /--source.*https:/],
])("%s is refused", async (line, message) => {
  const [name, ...options] = line.split(" ");
  expectRefusal(await script(name, options), message);
});

const CHIPS: [name: string, id: number, bootloaderAt: number][] = [
  ["esp32", 0, 0x1000],
  ["esp32s3", 9, 0],
  ["esp32c3", 5, 0],
  ["esp32c6", 13, 0],
];

function released(name: string): string {
  return join(at("release"), `esp32gpt-${version}-${codename}-${name}.bin`);
}

describe("release", () => {
  test("offers the application", async () => {
    const folder = writeBuild("application", 0);
    const { code, stdout, stderr } = await script("release", [
      "--from",
      folder,
      "--to",
      at("release"),
      "--flash",
      "8mb",
    ]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/esp32-8mb\.bin: [\d,]+ bytes\.\n$/);
    expect(readFileSync(released("esp32-8mb"))).toEqual(readFileSync(join(folder, "xs_esp32.bin")));
  });

  test("offers the ELF that the application was made of, and no other", async () => {
    const folder = writeBuild("with-elf", 0);
    const text = `\0${version}\0${codename}`;
    const elf = released("esp32-4mb").replace(/bin$/, "elf");
    const release = async (made: string, found: string): Promise<string> => {
      writeFileSync(join(folder, "xs_esp32.bin"), image(0, text, made));
      writeFileSync(join(folder, "xs_esp32.elf"), found);
      rmSync(elf, { force: true });
      return (await script("release", ["--from", folder, "--to", at("release")])).stdout;
    };
    expect(await release("this one", "this one")).toMatch(/esp32-4mb\.elf: ELF with symbols\.\n/);
    expect(readFileSync(elf, "utf8")).toBe("this one");
    expect(await release("this one", "another")).toMatch(/Its ELF is missing/);
    expect(existsSync(elf)).toBe(false);
  });

  test("refuses what is no release", async () => {
    const expectRefused = async (folder: string, message: RegExp): Promise<void> =>
      expectRefusal(await script("release", ["--from", folder, "--to", at("release")]), message);
    await expectRefused(at("none"), /bootloader\.bin is missing/);
    await expectRefused(writeBuild("other-version", 0, `\x000.0.${version}x`), /xs_esp32\.bin is not version/);
    await expectRefused(writeBuild("no-codename", 0, `\0${version}`), /is not version [\d.]+ [a-z]+:/);
    await expectRefused(writeBuild("other-chip", 77), /is for an unsupported chip \(ID 77\)/);
    await expectRefused(writeBuild("large", 0, version, 16), /more than the 16 of its partition/);
    writeFileSync(join(writeBuild("garbage", 0), "xs_esp32.bin"), "ELF");
    await expectRefused(at("garbage"), /not an image for an ESP32/);
    writeFileSync(join(writeBuild("tableless", 0), "partition-table.bin"), "");
    await expectRefused(at("tableless"), /no partition for an application/);
  });
});

describe("with the SDK", () => {
  // Boards that no SDK has: what a maker has built stays as it is.
  const board = "esp32/testboard";
  const outputs = (variant: string): string => join(ROOT, "build", "firmware", variant, "bin", "esp32", "testboard");
  afterAll(() => {
    for (const variant of ["4mb", "8mb", "4mb-psram", "8mb-psram"])
      for (const folder of [outputs(variant), outputs(variant).replace(/bin(?=.esp32.testboard$)/, "tmp")])
        rmSync(folder, { recursive: true, force: true });
  });

  /** A mcconfig that copies a build to where the real one would have put its own, and tells how it was started. */
  function sdk(build: string): Record<string, string> {
    for (const file of ["sdk/build/x", "idf/tools/idf.py"]) mkdirSync(at(file), { recursive: true });
    const tools = writeProgram(
      `tools-${build}`,
      "mcconfig",
      `const { cpSync, mkdirSync, writeFileSync } = require("node:fs");
      const options = process.argv.slice(2);
      const output = options[options.indexOf("-o") + 1];
      const kind = { "-d": "debug", "-i": "instrument" }[options[0]] ?? "release";
      console.log(JSON.stringify({ options, env: process.env }));
      if (options.includes("steps=7")) process.exit(7);
      if (options.includes("steps=8")) {
        const folder = output + "/tmp/${board}/" + kind + "/esp32gpt/xsProj-esp32/build";
        mkdirSync(folder, { recursive: true });
        writeFileSync(folder + "/xs_esp32.elf", "the program with its symbols");
      }
      cpSync("${at(build)}", output + "/bin/${board}/" + kind + "/esp32gpt", { recursive: true });`,
    );
    writeProgram(`tools-${build}`, "make", "");
    return { MODDABLE: at("sdk"), IDF_PATH: at("idf"), PATH: tools };
  }

  onPosix("builds, and says where the image is", async () => {
    const env = sdk(writeBuild("sdk-build", 9).replace(/.*\//, ""));
    const options = ["steps=5", "--board", board, "--flash", "8mb", "--debug"];
    const { code, stdout, stderr } = await script("build", options, env);
    expect([code, stderr]).toEqual([0, ""]);
    const [call, ...rest] = stdout.split("\n");
    const image = join("build", "firmware", "8mb", "bin", board, "debug", "esp32gpt", "xs_esp32.bin");
    expect(rest).toEqual([`${image}: 96 bytes of 65,536 bytes.`, ""]);

    const started = JSON.parse(call) as { options: string[]; env: Record<string, string> };
    const output = join(ROOT, "build", "firmware", "8mb");
    expect(started.options).toEqual([
      "-d",
      "-m",
      "-t",
      "build",
      "-p",
      board,
      "-o",
      output,
      `version=${version}`,
      `codename=${codename}`,
      "steps=5",
    ]);
    expect(started.env.PARTITIONS_FILE).toBe(join(ROOT, "sdkconfig", "partitions-8mb.csv"));
    const sdkconfig = readFileSync(join(started.env.SDKCONFIGPATH, "sdkconfig.defaults"), "utf8");
    expect(sdkconfig).toMatch(/FLASHSIZE_8MB=y[^]*CONFIG_APP_PROJECT_VER=/);
    expect(sdkconfig).toContain(`CONFIG_APP_PROJECT_VER="${version}"\n`);
    expect(sdkconfig).toContain("FLASHMODE_DIO=y");
    expect(started.env.PATH).toMatch(/^[^:]*node_modules\/\.bin:/);
  });

  onPosix("--psram adds the options of the board's chip, in an output folder of its own", async () => {
    const env = sdk(writeBuild("sdk-psram", 9).replace(/.*\//, ""));
    const built = async (...options: string[]): Promise<{ lines: string[]; flags: string | undefined }> => {
      const { stdout, stderr } = await script("build", [...options, "--psram", "n_embd=64", "n_layer=4"], env);
      expect(stderr).toBe("");
      const started = JSON.parse(stdout.split("\n")[0]) as { env: Record<string, string | undefined> };
      const { SDKCONFIGPATH = "", C_FLAGS_SUBPLATFORM } = started.env;
      const lines = readFileSync(join(SDKCONFIGPATH, "sdkconfig.defaults"), "utf8").split("\n");
      return { lines, flags: C_FLAGS_SUBPLATFORM };
    };
    const wrover = await built("--board", "esp32/testboard");
    expect(wrover.lines).toContain("CONFIG_SPIRAM=y");
    expect(wrover.lines).toContain("CONFIG_ESPTOOLPY_FLASHSIZE_4MB=y");
    expect(wrover.lines.join("\n")).not.toMatch(/SPIRAM_MODE|FLASHSIZE_8MB/);
    expect(wrover.flags).toBe("-mfix-esp32-psram-cache-issue -mfix-esp32-psram-cache-strategy=memw");
    expect(existsSync(outputs("4mb-psram"))).toBe(true);
  });

  onPosix("--psram with an S3 takes the eight lines of its PSRAM, and no workaround for an ESP32", async () => {
    const env = sdk(writeBuild("sdk-psram-s3", 9).replace(/.*\//, ""));
    const options = ["--board", "esp32/tests3", "--flash", "8mb", "--psram"];
    const { stdout } = await script("build", options, env);
    const { env: given } = JSON.parse(stdout.split("\n")[0]) as { env: Record<string, string> };
    const text = readFileSync(join(given.SDKCONFIGPATH, "sdkconfig.defaults"), "utf8");
    expect(text).toMatch(/FLASHSIZE_8MB=y[^]*CONFIG_SPIRAM=y[^]*MODE_QUAD=n[^]*MODE_OCT=y[^]*CONFIG_APP_PROJECT_VER=/);
    expect(given.C_FLAGS_SUBPLATFORM).toBeUndefined();
  });

  onPosix("--psram is refused for a chip without it, and judges a model by it", async () => {
    const env = sdk("sdk-build");
    expectRefusal(
      await script("build", ["--board", "esp32/esp32c3", "--psram"], env),
      /ESP32-C3: this chip has no PSRAM: leave out --psram/,
    );
    const model = ["n_embd=64", "n_layer=4"];
    expectRefusal(await script("build", model, env), /ESP32: .*n_embd \d+ would fit/);
    expectRefusal(
      await script("build", ["--psram", "n_embd=512"], env),
      /ESP32 WROVER, 4 MB PSRAM: .*n_embd \d+ would fit/,
    );
  });

  onPosix("puts the ELF beside the images", async () => {
    writeBuild("sdk-elf", 9);
    await script("build", ["steps=8", "--board", board], sdk("sdk-elf"));
    const folder = join(outputs("4mb"), "release", "esp32gpt");
    expect(readFileSync(join(folder, "xs_esp32.elf"), "utf8")).toBe("the program with its symbols");
  });

  onPosix("ends as mcconfig does when it fails", async () => {
    const { code, stderr } = await script("build", ["steps=7", "--board", board], sdk("sdk-build"));
    expect([code, stderr]).toEqual([7, ""]);
  });

  onPosix("refuses settings that make no sense before anything is built", async () => {
    const env = sdk("sdk-build");
    for (const name of ["build", "debug"])
      expectRefusal(await script(name, ["stpes=5", "--board", board], env), /no setting stpes: .*steps/);
    const long = at("long.txt");
    writeFileSync(long, "emma\n".repeat(540_000));
    const data = [`data=${long}`, "--board", board];
    expectRefusal(
      await script("build", data, env),
      /long\.txt has 2700000 bytes, but a flash of 4 MB has room for 2293760 beside the program: .* --flash 8mb/,
    );
    writeFileSync(long, "emma\n".repeat(700_000));
    expectRefusal(
      await script("build", [...data, "--flash", "8mb"], env),
      /long\.txt has 3500000 bytes, .* 8 MB has room for 3342336 beside the program: shorten the dataset/,
    );
    writeFileSync(long, "abcdefghijklmnopqrst\n".repeat(3));
    expectRefusal(await script("build", data, env), /long\.txt has no name that fits block_size 16.*fit block_size 21/);
    const small = ["n_embd=32", "n_layer=2", "--board", "esp32/esp32c3"];
    expectRefusal(await script("build", small, env), /ESP32-C3: .*would fit/);
    // Without an FPU it is judged in i32, which takes less memory.
    const unknown = ["--psram", "--board", "esp32/c3_devkit_rgb"];
    expectRefusal(await script("build", unknown, env), /c3_devkit_rgb: this board's chip has no PSRAM/);
    const wide = ["n_embd=32", "--board", "esp32/esp32c3"];
    expectRefusal(await script("build", wide, env), /ESP32-C3: .* n_embd 28 would fit/);
    expectRefusal(await script("build", ["dtype=f32", ...wide], env), /ESP32-C3: .* n_embd 20 would fit/);
  });

  onPosix("data=FILE puts another list into the place of the one that comes with the project", async () => {
    const towns = join(ROOT, "test", "data", "alphabet", "towns.txt");
    const built = async (...words: string[]): Promise<{ names: Buffer; options: string[] }> => {
      const { stdout } = await script("build", [...words, "--board", board], sdk("sdk-build"));
      const [line] = stdout.split("\n");
      const { options, env } = JSON.parse(line) as { options: string[]; env: Record<string, string> };
      return { names: readFileSync(`${env.NAMES_FILE}.txt`), options };
    };
    const { names, options } = await built(`data=${towns}`, "steps=100");
    expect(names.equals(readFileSync(towns))).toBe(true);
    expect(options).toContain("steps=100");
    expect(options.filter((option) => option.startsWith("data="))).toEqual([]);
    expect((await built()).names.equals(readFileSync(join(ROOT, "data", "names.txt")))).toBe(true);
  });

  onPosix("refuses an SDK that is too old", async () => {
    const moddable = at("old-sdk");
    for (const folder of ["build", "tools"]) mkdirSync(join(moddable, folder), { recursive: true });
    writeFileSync(join(moddable, "tools", "VERSION"), "7.1.0\n");
    const env = { ...sdk("sdk-build"), MODDABLE: moddable };
    expectRefusal(await script("build", [], env), /version 7\.1\.0 of the SDK.*--release 8\.2\.3/);
  });

  onPosix("debugs on a port of this computer only", async () => {
    const options = ["--log", "--board", board, "--port", "tcp://127.0.0.1:5555"];
    const env = sdk("sdk-build");
    mkdirSync(at("sdk/tools/xsbug-log/node_modules"), { recursive: true });
    expectRefusal(await script("debug", options, env), /needs a local serial port, not tcp:/);
    const { stdout } = await script("debug", options.slice(0, 3), { ...env, UPLOAD_PORT: "", ESPTOOL_PORT: "COM7" });
    expect((JSON.parse(stdout) as { env: Record<string, string> }).env.UPLOAD_PORT).toBe("COM7");
  });

  onPosix("debugs under xsbug, or in the terminal where nothing can show a window", async () => {
    const env = { ...sdk("sdk-build"), WAYLAND_DISPLAY: "" };
    const asked = async (options: string[], display: string): Promise<string> => {
      const line = ["--board", board, "--port", "COM7", ...options];
      const { stdout } = await script("debug", line, { ...env, DISPLAY: display });
      return (JSON.parse(stdout) as { options: string[] }).options[0];
    };
    mkdirSync(at("sdk/tools/xsbug-log/node_modules"), { recursive: true });
    expect(await asked([], ":0")).toBe("-d");
    expect(await asked(["--log"], ":0")).toBe("-dl");
    if (process.platform === "linux") expect(await asked([], "")).toBe("-dl");
    rmSync(at("sdk/tools/xsbug-log/node_modules"), { recursive: true });
    const refused = await script("debug", ["--log", "--port", "COM7"], env);
    expectRefusal(refused, /terminal debugger are missing: `npm install --prefix \S+xsbug-log`/);
  });

  onPosix("releases what it has built", async () => {
    writeBuild("sdk-release", 13);
    const { code, stdout } = await script("release", ["--board", board, "--to", at("release")], sdk("sdk-release"));
    expect(code).toBe(0);
    expect(stdout).toMatch(/esp32c6-4mb\.bin: 96 bytes\.\n$/);
    expect(readFileSync(released("esp32c6-4mb"))).toEqual(image(13, `\0${version}\0${codename}`));
  });
});

describe("clean", () => {
  /** The project with nothing but the script: cleaning the real one would take the tests' own program away. */
  function copyProject(): string {
    const project = at("project");
    cpSync(join(ROOT, "scripts", "firmware"), join(project, "scripts", "firmware"), { recursive: true });
    cpSync(join(ROOT, "package.json"), join(project, "package.json"));
    symlinkSync(join(ROOT, "node_modules"), join(project, "node_modules"), "junction");
    for (const folder of ["dist", "build/xs", "src"]) mkdirSync(join(project, folder), { recursive: true });
    return project;
  }

  test("removes what was built of the project, and nothing else of the SDK's", () => {
    const project = copyProject();
    const build = join(at("used-sdk"), "build");
    const ours = ["bin/esp32/release/esp32gpt", "tmp/esp32/esp32s3/debug/esp32gpt", "bin/lin/mc/release/esp32gpt"];
    const others = ["bin/esp32/release/hello", "tmp/esp32/release/lib", "bin/lin/release", "devices/esp32/esp32gpt"];
    for (const folder of [...ours, ...others]) mkdirSync(join(build, folder), { recursive: true });
    const clean = spawnSync(process.execPath, [join(project, "scripts", "firmware", "clean.mjs")], {
      env: { ...bare, MODDABLE: at("used-sdk") },
      encoding: "utf8",
    });
    expect([clean.status, clean.stdout, clean.stderr]).toEqual([0, "", ""]);
    expect(ours.filter((folder) => existsSync(join(build, folder)))).toEqual([]);
    expect(others.filter((folder) => existsSync(join(build, folder)))).toEqual(others);
    expect(["dist", "build", "src", "node_modules"].map((name) => existsSync(join(project, name)))).toEqual([
      false,
      false,
      true,
      true,
    ]);
  });
});

const hasEsptool = ["esptool", "esptool.py"].some((name) => spawnSync(name, ["version"]).status === 0);

skipUnless(hasEsptool, "what esptool does with the images; it is not installed").describe("with esptool", () => {
  test.each(CHIPS)("merges the images for %s, which esptool reads", async (name, id, bootloaderAt) => {
    const folder = writeBuild(`merge-${name}`, id);
    const { code, stdout, stderr } = await script("release", ["--full", "--from", folder, "--to", at("release")]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(new RegExp(`esp32gpt-${version}-${codename}-${name}-4mb-full\\.bin: [\\d,]+ bytes\\.\n$`));

    const merged = readFileSync(released(`${name}-4mb-full`));
    for (const [offset, file] of [
      [bootloaderAt, "bootloader.bin"],
      [0x8000, "partition-table.bin"],
      [0x20000, "xs_esp32.bin"],
    ] as const) {
      const part = readFileSync(join(folder, file));
      expect(merged.subarray(offset, offset + part.length).equals(part)).toBe(true);
    }
    expect(merged.subarray(0x9000, 0x20000).every((byte) => byte === 0xff)).toBe(true);

    writeFileSync(at("cut-out.bin"), merged.subarray(0x20000));
    const info = spawnSync("esptool", ["--chip", name, "image-info", at("cut-out.bin")], { encoding: "utf8" });
    if (info.error === undefined) {
      expect(info.stdout).toMatch(/Checksum: 0x[0-9a-f]+ \(valid\)/i);
      expect(info.stdout).toMatch(/Validation hash: [0-9a-f]+ \(valid\)/i);
    }
  });

  test("lists the full images for the page, as it reads them", async () => {
    const to = at("listed");
    const listed = async (chip: number, ...options: string[]): Promise<Index> => {
      const folder = at(`list-${chip}`);
      if (!existsSync(folder)) writeBuild(`list-${chip}`, chip);
      const { code, stderr } = await script("release", ["--full", "--from", folder, "--to", to, ...options]);
      expect([code, stderr]).toEqual([0, ""]);
      return parseIndex(readFileSync(join(to, "index.json"), "utf8"));
    };
    const names = ({ images }: Index): string[] => images.map(({ name }) => name);

    const source = "https://example.org/source.tar.gz";
    const [first] = (await listed(9, "--flash", "8mb", "--source", source)).images;
    const bytes = readFileSync(join(to, first.file));
    expect(first).toEqual({
      file: `esp32gpt-${version}-${codename}-esp32s3-8mb-full.bin`,
      name: "ESP32-S3, 8 MB",
      chip: "esp32s3",
      flash: "8mb",
      version,
      codename,
      bytes: bytes.length,
      sha256: createHash("sha256").update(bytes).digest("hex"),
    });

    await listed(0);
    const again = await listed(0);
    expect([again.source, names(again)]).toEqual([source, ["ESP32, 4 MB", "ESP32-S3, 8 MB"]]);
    rmSync(join(to, first.file));
    expect(names(await listed(13))).toEqual(["ESP32, 4 MB", "ESP32-C6, 4 MB"]);

    writeFileSync(join(to, "index.json"), `{ "images": [{}] }`);
    const refused = await script("release", ["--full", "--from", at("list-0"), "--to", to]);
    expectRefusal(refused, /index\.json is not a list of images/);
  });
});

test("what stands in the manifest is checked before anything is built, as the command line changes it", () => {
  const manifest = at("manifest.json");
  const check = (config: object, settings = {}): string => {
    writeFileSync(manifest, JSON.stringify({ config }));
    const given = `${JSON.stringify(settings)}, ${JSON.stringify({ board: "esp32", flash: "4mb", manifest })}`;
    const program = `import { checkFirmware } from "./dist/firmware.js";
      try { console.log("fits", checkFirmware(${given}).length); } catch ({ message }) { console.log(message); }`;
    const words = ["--input-type=module", "-e", program];
    return spawnSync(process.execPath, words, { cwd: ROOT, encoding: "utf8" }).stdout;
  };
  expect(check({ esp32gpt: { stpes: 5 } })).toMatch(/^There is no setting stpes: there are .*steps/);
  expect(check({ esp32gpt: { n_head: 3 } })).toMatch(/^n_embd \(16\) must be a multiple of n_head \(3\)/);
  expect(check({ esp32gpt: { n_embd: 512 } })).toMatch(/^ESP32: this model needs \d+ bytes/);
  expect(check({ esp32gpt: { n_head: 8, n_embd: 24 }, stpes: 5, led: {} })).toMatch(/^fits \d+\n$/);
  expect(check({ esp32gpt: { n_head: 3 }, n_embd: "18" }, { n_embd: "24" })).toMatch(/^fits \d+\n$/);
});
