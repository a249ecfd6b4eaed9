/**
 * A coordinator reached over HTTP, on a TCP port or a Unix socket (Node).
 *
 * @example
 * const db = await openOcdbt(store);
 * let coordinator: Coordinator;
 * const server = await serveCoordinator(() => coordinator, { address: "unix:/run/pcg/seg.sock" });
 * coordinator = new Coordinator({ ...db.parts, address: server.address });
 * coordinator.start();
 * @module
 */
export { type CoordinatorServer, httpTransport, type ServeOptions, serveCoordinator } from "./coordinator/http.ts";
