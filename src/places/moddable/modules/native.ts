export * from "esp32gpt/gpt/native/native-ops";
