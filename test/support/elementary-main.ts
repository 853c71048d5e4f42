import type { Host } from "../../host/xs/host";
import { portableFunctions } from "../../src/gpt/base/portable-functions";
import { elementaryChecksum } from "./elementary-checksum";

// Runs on XS: tells xs-elementary.test.ts what the functions give there.

declare const host: Host;

host.write(`${elementaryChecksum(portableFunctions)}\n`);
