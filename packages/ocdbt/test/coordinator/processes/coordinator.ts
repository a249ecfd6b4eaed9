/** `node child.mjs <folder> <address>`: a coordinator that prints a line when it leads. */
import { fileKvStore } from "@pcg/kvstore/file";
import { serveCoordinator } from "../../../src/coordinator-http.ts";
import { Coordinator, openOcdbt } from "../../../src/index.ts";

const [folder, address] = process.argv.slice(2) as [string, string];
const config = { maxInlineValueBytes: 20, maxDecodedNodeBytes: 1000, versionTreeArityLog2: 2 };
const { store, committer, manifests } = (await openOcdbt(fileKvStore(folder), { config })).parts;
let coordinator: Coordinator | undefined;
const server = await serveCoordinator(() => coordinator!, { address });
coordinator = new Coordinator({
  store,
  committer,
  manifests,
  address: server.address,
  leaseMs: 200,
  onLeading: (leads) => leads && process.stdout.write("leads\n"),
});
coordinator.start();
