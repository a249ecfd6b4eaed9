import type { Auth } from "./auth.ts";
import { HttpError } from "./http/errors.ts";
import { findTable, type Table, type TableAt, type Tables } from "./tables.ts";

/**
 * A volume can be addressed by a versioned name, `image~TAG`: the tag changes with every ingest, so its files may be
 * kept for ever, and with tokens set it holds a key, so that readers that send no token get in.
 */
export function volumeTag(auth: Auth, table: Table): string {
  const version = table.graph.settings.ingestTime.toString(36);
  const key = auth.volumeKey(`${table.name}\n${version}`);
  return key === "" ? version : `${version}-${key}`;
}

/** Parts a name `NAME[~TAG]`. */
export function splitTag(name: string): { readonly name: string; readonly tag: string | undefined } {
  const at = name.indexOf("~");
  return at < 0 ? { name, tag: undefined } : { name: name.slice(0, at), tag: name.slice(at + 1) };
}

/** The table, if the tag is its own; without a tag the caller has to check the user. @throws HttpError 404 */
export function findTagged(tables: Tables, auth: Auth, name: string, tag: string | undefined): TableAt {
  if (tag === undefined) return findTable(tables, name);
  // Whoever holds no key learns nothing of which tables there are.
  const known = tables.has(name.replace(/@.*$/, ""));
  const at = known ? findTable(tables, name) : undefined;
  if (at !== undefined && tag === volumeTag(auth, at.table)) return at;
  throw new HttpError(404, `"${name}" has no version "${tag}"; read the address from the table's info again`);
}
