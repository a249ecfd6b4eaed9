/** `npm start`: install and build what is missing, then run the proofreader in this process. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ensureBuilt, root } from "./workspace.mjs";

await ensureBuilt();
await import(pathToFileURL(join(root, "apps/proofreader/dist/main.js")).href);
