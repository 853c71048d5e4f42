import { board } from "./board";
import { FlashDirectory } from "./files";

/** "modules" */
export default {
  importNow(specifier: string): unknown {
    if (specifier !== "embedded:storage/files" || !board.hasFiles)
      throw new ReferenceError(`module "${specifier}" not found`);
    if (!board.flash) throw new Error("can't find partition");
    return new FlashDirectory(board.flash);
  },
};
