export * from "esp32gpt/places/moddable/place";
