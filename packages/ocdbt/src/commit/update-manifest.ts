import type { Config, Manifest } from "../format/types.ts";
import { checkMessage, writeMessage } from "../history/messages.ts";
import type { DatabaseParts, ManifestUpdate, StoredManifest } from "../parts.ts";
import type { CommitLoop, Plan } from "./commit-loop.ts";

export interface UpdateContext {
  readonly store: DatabaseParts["store"];
  readonly loop: CommitLoop;
  /** Of the database that the update makes, if there is none. */
  readonly initialConfig: () => Config;
}

/** A commit that does not come from mutations. Works on the newest manifest, and keeps the message with the version it adds. */
export async function updateManifest(
  update: ManifestUpdate,
  { store, loop, initialConfig }: UpdateContext,
): Promise<StoredManifest | undefined> {
  checkMessage(update);
  const { signal, message, author } = update;
  const { plan, stored } = await loop.run(
    async ({ current, writer }): Promise<Plan | undefined> => {
      const manifest: Manifest = current?.manifest ?? { config: initialConfig(), versions: [], versionNodes: [] };
      const next = await update.next(manifest, writer);
      return next && { next };
    },
    { maxStalenessMs: 0, ...(signal && { signal }) },
  );
  if (plan === undefined) return undefined;
  const { generation, commitTime } = plan.next.versions.at(-1)!;
  await writeMessage(
    store,
    plan.next.config.uuid,
    { generation, commitTime },
    { ...(message === undefined ? {} : { message }), ...(author === undefined ? {} : { author }) },
  );
  return stored;
}
