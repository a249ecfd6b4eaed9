/** `npm run build`: everything that `npm start` and the published packages need. */
import { ensureBuilt } from "./workspace.mjs";

await ensureBuilt();
