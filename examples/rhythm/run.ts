import main from "./main";

// npm run example:rhythm: the app on Node. On a chip the SDK calls main() itself.

main();
