import type { Host } from "../../host/xs/host";
import { libraryAnswer } from "./library-answer";

// Runs on XS: tells xs-library.test.ts what the library says there.

declare const host: Host;

libraryAnswer().then(
  (answer) => host.write(`${answer}\n`),
  (error: unknown) => host.write(String(error)),
);
