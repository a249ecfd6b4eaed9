import { type CheckReport, checkGraph } from "@pcg/chunkedgraph";
import { openTableStores, tableNames } from "./open-tables.ts";

export interface CheckTablesOptions {
  /** Only this table; default: all of the folder. */
  readonly table?: string | undefined;
  readonly json: boolean;
  readonly signal: AbortSignal;
  readonly print: (line: string) => void;
}

/**
 * Checks the invariants of graphs that no server is editing meanwhile, and prints what it finds.
 * @returns whether all are sound
 */
export async function checkTables(data: string, options: CheckTablesOptions): Promise<boolean> {
  const { table, json, signal, print } = options;
  let sound = true;
  for (const name of table === undefined ? await tableNames(data) : [table]) {
    const stores = await openTableStores(data, name);
    try {
      const report = await checkGraph(stores.rows, { voxels: stores.voxels, signal });
      sound &&= report.violationCount === 0;
      print(json ? jsonReport(name, report) : textReport(name, report));
    } finally {
      await stores.close();
    }
  }
  return sound;
}

function jsonReport(table: string, report: CheckReport): string {
  return JSON.stringify({ table, ...report }, (_, value: unknown) =>
    typeof value === "bigint" ? String(value) : value,
  );
}

function textReport(table: string, report: CheckReport): string {
  const { supervoxels, roots, edges, operations, violations, violationCount } = report;
  const counts = `${supervoxels} supervoxels, ${roots} objects, ${edges} edges, ${operations} operations`;
  if (violationCount === 0) return `${table}: sound (${counts})`;
  const lines = violations.map(({ rule, id, message }) => `  ${rule}: ${id} ${message}`);
  if (violationCount > violations.length) lines.push(`  and ${violationCount - violations.length} more`);
  return [`${table}: ${violationCount} violations (${counts})`, ...lines].join("\n");
}
