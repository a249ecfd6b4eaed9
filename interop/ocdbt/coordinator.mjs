/** `node coordinator.mjs <spec> <address>`: the coordinator of a database; prints its address when it leads. */
import { fileDriver } from "../../packages/kvstore/dist/file.js";
import { openKvStoreSpec } from "../../packages/kvstore/dist/index.js";
import { serveCoordinator } from "../../packages/ocdbt/dist/coordinator-http.js";
import { Coordinator, configFromJson, openOcdbt } from "../../packages/ocdbt/dist/index.js";

const { base, config } = JSON.parse(process.argv[2]);
const db = await openOcdbt(await openKvStoreSpec(base, fileDriver()), { config: configFromJson(config) });
let coordinator;
const server = await serveCoordinator(() => coordinator, { address: process.argv[3] });
const { store, committer, manifests } = db.parts;
coordinator = new Coordinator({
  store,
  committer,
  manifests,
  address: server.address,
  leaseMs: 300,
  onLeading: (leads) => leads && process.stdout.write(`${server.address}\n`),
});
coordinator.start();
