import { type CheckReport, checkGraph, isGraphError } from "@pcg/chunkedgraph";
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
    } catch (error) {
      // A folder without a finished graph is nothing unsound; only who names it wants to hear it as a failure.
      if (table !== undefined || !isGraphError(error, "not-ingested")) throw error;
      print(json ? JSON.stringify({ table: name, skipped: error.message }) : `${name}: not checked: ${error.message}`);
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
