// The dependencies of flashing: a separate chunk that is loaded on demand.
export { ClassicReset, ESPLoader, Transport, UsbJtagSerialReset } from "esptool-js";
export { md5 } from "@noble/hashes/legacy.js";
