import { createStore } from "idb-keyval";

/** Where a browser keeps what the page gives it: apart from what other pages of the same host keep. */
export const database = createStore("esp32gpt", "kept");
