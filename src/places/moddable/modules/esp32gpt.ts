/* The modules of this folder are what an app imports on Moddable. XS resolves a relative import by the name of a
   module, not of its file, so they import what they export by name. */

export * from "esp32gpt/gpt/index";
