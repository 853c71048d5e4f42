import { board } from "./board";

/** "mc/config", frozen as the SDK's is; what it holds is looked up when it is asked for. */
export default new Proxy<Record<string, unknown>>(
  {},
  {
    get: (_, name) => board.settings[String(name)],
    has: (_, name) => name in board.settings,
    ownKeys: () => Object.keys(board.settings),
    getOwnPropertyDescriptor: (_, name) => ({
      value: board.settings[String(name)],
      enumerable: true,
      configurable: true,
    }),
  },
);
