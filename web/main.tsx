import { render } from "preact";
import { App } from "./app";
import { Workbench } from "./workbench";

const bench = new Workbench();
const app = document.getElementById("app");
if (app) render(<App bench={bench} />, app);
void bench.open(location.search.slice(1));
