import { board } from "./board";

/** "mc/config"; what it holds is looked up when it is asked for. */
export default new Proxy<Record<string, unknown>>(
  {},
  { get: (_, name) => (name === "esp32gpt" ? board.settings : board.beside[String(name)]) },
);
