/*
 * What is used of esptool-js, Espressif's own library. The page and the command line each have it, and hand it in. Its
 * own types ask for whole classes, and for a browser's port.
 */

/** A serial port, closed, as Web Serial has it, as far as it is used here; the library uses more of it. */
export interface Port {
  addEventListener(type: "disconnect", listener: () => void): void;
  removeEventListener(type: "disconnect", listener: () => void): void;
  close(): Promise<void>;
}

export interface Transport<P extends Port> {
  /** Writes what is carried to a console, unless it is given another. */
  trace: (message: string) => void;
  /** The USB vendor of the port; undefined where it has none. */
  getVid(): number | undefined;
  updateDevice(port: P): void;
  /** @param timeout in milliseconds */
  read(timeout: number): Promise<Uint8Array>;
  disconnect(): Promise<void>;
}

/** A way to get a chip into its ROM loader. */
export interface Reset {
  reset(): Promise<void>;
}

export interface Loader<P extends Port> {
  readonly transport: Transport<P>;
  readonly chip: { readonly CHIP_NAME: string; readonly IMAGE_CHIP_ID: number };
  /** Whether its flasher stub runs in the chip. */
  readonly IS_STUB: boolean;
  /** In milliseconds. */
  readonly DEFAULT_TIMEOUT: number;
  /** Opens the port, finds out which chip it is, and starts the stub there. */
  main(): Promise<unknown>;
  /** As "4MB"; undefined where the flash does not say. */
  detectFlashSize(): Promise<string | undefined>;
  flashSizeBytes(size: string): number;
  readFlash(address: number, size: number): Promise<Uint8Array>;
  writeFlash(options: WriteOptions): Promise<void>;
  after(mode: "custom_reset", isUsbOtg: undefined, sequence: string): Promise<void>;
}

export interface WriteOptions {
  fileArray: { data: Uint8Array; address: number }[];
  flashMode: "keep";
  flashFreq: "keep";
  flashSize: "keep";
  eraseAll: boolean;
  compress: boolean;
  reportProgress: (file: number, written: number, total: number) => void;
  calculateMD5Hash: (bytes: Uint8Array) => string;
}

export interface LoaderOptions<P extends Port> {
  transport: Transport<P>;
  /** In baud: once the stub runs, and until then. */
  baudrate: number;
  romBaudrate: number;
  terminal: { clean: () => void; write: (text: string) => void; writeLine: (text: string) => void };
  resetConstructors: {
    /** @param delay in milliseconds */
    classicReset: (transport: Transport<P>, delay: number) => Reset;
    usbJTAGSerialReset: (transport: Transport<P>) => Reset;
  };
}

export interface Library<P extends Port> {
  readonly Transport: new (port: P) => Transport<P>;
  readonly ESPLoader: new (options: LoaderOptions<P>) => Loader<P>;
  readonly ClassicReset: new (transport: Transport<P>, delay: number) => Reset;
  readonly UsbJtagSerialReset: new (transport: Transport<P>) => Reset;
  readonly md5: (bytes: Uint8Array) => Uint8Array;
}
