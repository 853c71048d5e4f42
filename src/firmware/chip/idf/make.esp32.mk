# mcconfig uses this instead of the SDK's makefile for the ESP32: the same, plus an ESP-IDF component.
include $(MODDABLE)/tools/mcconfig/make.esp32.mk
IDF_BUILD_OPTIONS += -D EXTRA_COMPONENT_DIRS=$(ESP32GPT_COMPONENTS)
