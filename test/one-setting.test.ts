import type { Setting } from "../src/gpt/base/settings";

/*
 * A setting is one entry of a table: one that there is not yet, put into that table, is found wherever settings are.
 */

const DROPOUT: Setting = {
  type: "number",
  given: "anywhere",
  kept: "record",
  least: 0,
  most: 0.5,
  default: 0.1,
  doc: "the share of units that rest in a step",
};

interface Everything {
  readonly device: typeof import("../src/device/settings");
  readonly options: typeof import("../host/run/options");
  readonly address: typeof import("../web/workbench/address");
  readonly fields: typeof import("../web/train/fields");
  readonly commander: typeof import("commander");
}

/** All that reads the table, where the table has that one as well. */
function withDropout(): Everything {
  const freeze = jest.spyOn(Object, "freeze").mockImplementation(<T>(value: T): Readonly<T> => value);
  try {
    const { SETTINGS } = jest.requireActual<{ SETTINGS: Record<string, Setting> }>("../src/gpt/base/settings");
    SETTINGS.dropout = DROPOUT;
  } finally {
    freeze.mockRestore();
  }
  return {
    device: jest.requireActual("../src/device/settings"),
    options: jest.requireActual("../host/run/options"),
    address: jest.requireActual("../web/workbench/address"),
    fields: jest.requireActual("../web/train/fields"),
    commander: jest.requireActual("commander"),
  };
}

let all: Everything;
beforeAll(() => {
  jest.resetModules();
  all = withDropout();
});

test("the firmware takes it, checks it and hands it on", () => {
  const { checkSettings, firmwareNames, readSettings } = all.device;
  expect(firmwareNames()).toContain("dropout");
  expect(() => checkSettings({ dropout: "0.6" })).toThrow("dropout must be a number from 0 to 0.5, not 0.6.");
  expect(readSettings({ dropout: "0.25" }).training).toEqual({ dropout: 0.25 });
});

test("the command line has an option for it, help for that, and hands it on", () => {
  const { chosen, trainOptions } = all.options;
  const command = trainOptions(new all.commander.Command("train"), {}).exitOverride();
  command.configureOutput({ writeErr: () => undefined });
  expect(command.helpInformation().replace(/\s+/g, " ")).toContain(
    "--dropout <number> the share of units that rest in a step (default: 0.1)",
  );
  expect(chosen(command.parse(["--dropout", "0.25"], { from: "user" }).opts(), "record")).toEqual({ dropout: 0.25 });
  expect(() => command.parse(["--dropout", "much"], { from: "user" })).toThrow(/It must be a number/);
});

test("the page has a field for it and a place in its address, and says what may be there", () => {
  const { address, fields } = all;
  expect(fields.fieldsOf("record")).toContainEqual({
    ...{ name: "dropout", hint: DROPOUT.doc, least: 0, most: 0.5, step: "any", choices: undefined },
  });
  expect(fields.usualValues({})).toMatchObject({ dropout: "0.1" });
  const choice = address.parseAddress("dropout=0.25&seed=7");
  if (!choice) throw new Error("the address chooses nothing");
  expect(choice.values).toEqual({ dropout: "0.25", seed: "7" });
  expect(address.formatAddress(choice)).toBe("list=names&seed=7&dropout=0.25");
  expect(address.settingsOf(choice).training).toEqual({ dropout: 0.25 });
  expect(address.parseAddress("dropuot=1")).toBeUndefined();
});
