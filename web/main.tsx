import { render } from "preact";
import { App } from "./app";
import { LiveCurve } from "./board/live-curve";
import { BoardSession } from "./board/session";
import { takeDroppedFiles } from "./file-drop";
import { limitPasting } from "./pasting";
import { showUncaughtErrors } from "./uncaught-errors";
import { Workbench } from "./workbench/workbench";

showUncaughtErrors();
const bench = new Workbench();
const curve = new LiveCurve();
takeDroppedFiles(bench);
limitPasting();
const session = new BoardSession(curve.onEvent);
const app = document.getElementById("app");
if (app) render(<App bench={bench} session={session} curve={curve} />, app);
void bench.open(location.search.slice(1));
