#ifndef SDKCONFIG_H
#define SDKCONFIG_H

#ifndef WITHOUT_IRAM
#define CONFIG_UART_ISR_IN_IRAM 1
#endif

#endif
