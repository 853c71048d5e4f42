import { createStore } from "idb-keyval";

/** The page's own IndexedDB database: other pages of the same host do not use it. */
export const database = createStore("esp32gpt", "kept");
