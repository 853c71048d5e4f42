import { render } from "preact";

const app = document.getElementById("app");
if (app) render(<h1>esp32gpt</h1>, app);
