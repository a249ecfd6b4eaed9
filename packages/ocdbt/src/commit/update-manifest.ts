import type { Config, Manifest } from "../format/types.ts";
import { checkMessage, messageFile } from "../history/messages.ts";
import type { ManifestUpdate, StoredManifest } from "../parts.ts";
import type { CommitLoop, Plan } from "./commit-loop.ts";

export interface UpdateContext {
  readonly loop: CommitLoop;
  /** Of the database that the update makes, if there is none. */
  readonly initialConfig: () => Config;
}

/** A commit that does not come from mutations. Works on the newest manifest, and keeps the message with the version it adds. */
export async function updateManifest(
  update: ManifestUpdate,
  { loop, initialConfig }: UpdateContext,
): Promise<StoredManifest | undefined> {
  checkMessage(update);
  const { signal } = update;
  const { plan, stored } = await loop.run(
    async ({ current, writer, afresh }): Promise<Plan | undefined> => {
      const manifest: Manifest = current?.manifest ?? { config: initialConfig(), versions: [], versionNodes: [] };
      if (afresh) update.apart?.forget();
      const next = await update.next(manifest, writer);
      if (next === undefined) return undefined;
      return { next, beside: messageFile(next.config.uuid, next.versions.at(-1)!, update), apart: update.apart?.files };
    },
    { maxStalenessMs: 0, ...(signal && { signal }) },
  );
  return plan && stored;
}
