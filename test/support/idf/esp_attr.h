#ifndef ESP_ATTR_H
#define ESP_ATTR_H

/* A test calls it, and fills it with what power-on leaves there. */
#define RTC_NOINIT_ATTR __attribute__((section("rtc_noinit")))

#endif
