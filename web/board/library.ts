// What flashing takes, as one part of the page that is fetched when somebody flashes.
export { ClassicReset, ESPLoader, Transport, UsbJtagSerialReset } from "esptool-js";
export { md5 } from "@noble/hashes/legacy.js";
