/*
 * Which board this tab was connected to, so that a reload takes it up again. It is kept for the tab only: another tab
 * must not take the port away.
 */

const KEY = "esp32gpt-port";

/** What the browser tells of a port; `vendor` and `product` are undefined for one that is not USB. */
export interface PortName {
  readonly vendor: number | undefined;
  readonly product: number | undefined;
}

export function nameOf(port: SerialPort): PortName {
  const { usbVendorId, usbProductId } = port.getInfo();
  return { vendor: usbVendorId, product: usbProductId };
}

/** @param name undefined forgets it */
export function keepPort(name: PortName | undefined): void {
  try {
    if (name) sessionStorage.setItem(KEY, JSON.stringify(name));
    else sessionStorage.removeItem(KEY);
  } catch {
    // This browser has no storage: after a reload the board is chosen again.
  }
}

export function keptPort(): PortName | undefined {
  try {
    const found = JSON.parse(sessionStorage.getItem(KEY) ?? "null") as Partial<PortName> | null;
    return found === null ? undefined : { vendor: found.vendor, product: found.product };
  } catch {
    return undefined;
  }
}
