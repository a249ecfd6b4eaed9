import type { Endpoints } from "../http/endpoint.ts";
import { HttpError } from "../http/errors.ts";

const GRAPH = "/segmentation/api/v1/table/{table}";
const MESHING = "/meshing/api/v1/table/{table}";

const MISSING = [
  ["post", `${GRAPH}/split`, "splitting objects"],
  ["post", `${GRAPH}/graph/split_preview`, "previews of splits"],
  ["post", `${GRAPH}/undo`, "undo"],
  ["post", `${GRAPH}/redo`, "redo"],
  ["get", `${GRAPH}/node/{id}/contact_sites`, "contact sites"],
  ["get", `${MESHING}/manifest/{fragment}`, "meshes"],
  ["post", `${MESHING}/remeshing`, "meshing"],
] as const;

/**
 * Routes of the interface that have no implementation. 501 is the one status that says so and that no client sends
 * again by itself.
 */
export function unavailableRoutes(root: Endpoints): void {
  for (const [method, path, what] of MISSING) {
    root.add({ method, path, summary: `Not available: ${what}`, answer: "refusal" }, () => {
      throw new HttpError(501, `${what} is not available on this server`, { reason: "not-implemented" });
    });
  }
}
