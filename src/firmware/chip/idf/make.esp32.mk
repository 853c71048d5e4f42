# The SDK's makefile for the ESP32 (mcconfig takes this one in its place), with one component more for ESP-IDF.
include $(MODDABLE)/tools/mcconfig/make.esp32.mk
IDF_BUILD_OPTIONS += -D EXTRA_COMPONENT_DIRS=$(ESP32GPT_COMPONENTS)
