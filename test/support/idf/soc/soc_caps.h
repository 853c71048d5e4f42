#ifndef SOC_CAPS_H
#define SOC_CAPS_H

#ifdef WITH_USB
#define SOC_USB_SERIAL_JTAG_SUPPORTED 1
#endif

#endif
