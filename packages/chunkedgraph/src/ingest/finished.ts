import type { RowStore } from "@pcg/rowstore";
import { type IngestChoices, readFinished, refuseOtherChoices } from "./plan.ts";
import { type IngestReport, makeReport } from "./report.ts";

/**
 * The report of an ingest of `source` that is complete, without looking at the source, which may be gone by now. `source` is
 * the volume's URL, with or without its format. `undefined`: nothing is complete here, or it is of another source.
 *
 * @throws GraphError `already-ingested` when it was made with other choices.
 */
export async function finishedIngest(
  rows: RowStore,
  source: string,
  choices: IngestChoices,
): Promise<IngestReport | undefined> {
  const finished = await readFinished(rows);
  if (finished === undefined) return undefined;
  const { settings, scale, counts } = finished;
  if (settings.source !== source && !settings.source.startsWith(`${source}|`)) return undefined;
  refuseOtherChoices(settings, scale, choices);
  return makeReport(settings, scale, counts, { outcome: "nothing to do", seconds: 0, voxelsRead: 0 });
}
