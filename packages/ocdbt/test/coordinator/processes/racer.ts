/** `node child.mjs <address>`: answers with its process id, if it comes first. */
import { serveCoordinator } from "../../../src/coordinator-http.ts";

const answerer = { answer: async () => new TextEncoder().encode(String(process.pid)) };
const outcome = await serveCoordinator(() => answerer, { address: process.argv[2]! }).then(
  () => "listens",
  (error) => String(error.code),
);
process.stdout.write(outcome);
