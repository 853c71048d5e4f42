export * from "esp32gpt/gpt/inference";
