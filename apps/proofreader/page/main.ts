/** Wires the page: the viewer, the time slider, the list of operations, and what the server tells. */
import "./style.css";
import { createHistory } from "./history.ts";
import { createHowTo } from "./how-to.ts";
import {
  graphLayer,
  graphLayerState,
  initialState,
  type Moment,
  momentOfSource,
  objectsLayer,
  objectsLayerState,
  objectsSource,
} from "./layers.ts";
import { loadMistakes, type Mistake } from "./mistakes.ts";
import { startViewer } from "./neuroglancer.ts";
import { createNotices } from "./notices.ts";
import { capitalised, describeOperation, momentText, pastText } from "./operation-text.ts";
import {
  base,
  fetchOperations,
  fetchTables,
  type Operation,
  type Table,
  TokenNeeded,
  translateRoots,
  type Vector,
  watchOperations,
} from "./server.ts";
import { createTimeline } from "./timeline.ts";
import { askForToken } from "./token.ts";

const element = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;
const notify = createNotices(element("notices"));

start().catch(async (error: unknown) => {
  if (error instanceof TokenNeeded) {
    await askForToken(error.message);
    location.reload();
    return;
  }
  notify(`The page cannot start: ${error instanceof Error ? error.message : String(error)}`, "refusal");
});

async function start(): Promise<void> {
  const table = await chooseTable();
  const operations = [...(await fetchOperations(table.name))];
  describeTable(table);
  const revision = () =>
    operations.findLast((operation) => operation.status === "done")?.time ?? String(table.ingestTime);
  const view = startViewer(element("volume"), initialState(base, table, undefined, revision()));
  const moment = (): Moment => momentOfSource(view.sourceOf(graphLayer) ?? "");

  const timeline = createTimeline(element("timeline"), (to) => {
    travel(to).catch((error: unknown) => notify(`Could not go there: ${(error as Error).message}`, "refusal"));
  });
  const history = createHistory(element("history"), (operation) => {
    if (operation.position) view.goTo(operation.position);
    if (moment() === undefined) {
      translateRoots(table.name, operation.newRoots, operation.time, undefined).then(view.showRoots, (error: Error) =>
        notify(error.message, "refusal"),
      );
    }
  });
  let connected = true;
  const showMoment = () => {
    const at = moment();
    timeline.show(operations, at);
    history.show(operations, at);
    const badge = element("moment");
    badge.textContent = at === undefined ? (connected ? "Live" : "Offline, reconnecting …") : pastText(operations, at);
    badge.title = at === undefined ? "" : `As of ${momentText(at)}`;
    badge.classList.toggle("past", at !== undefined);
    badge.classList.toggle("offline", at === undefined && !connected);
    element<HTMLButtonElement>("merge").disabled = at !== undefined;
  };

  async function travel(to: Moment): Promise<void> {
    const from = moment();
    if (from === to) return;
    const roots = await translateRoots(table.name, view.selectedRoots(), from, to);
    view.putLayer(objectsLayer, objectsLayerState(table, to ?? revision()));
    view.putLayer(graphLayer, graphLayerState(base, table, to, roots));
    showMoment();
  }

  const refreshObjects = () => {
    const revisionInView = moment() ?? revision();
    if (view.sourceOf(objectsLayer) === objectsSource(table, revisionInView)) return;
    view.putLayer(objectsLayer, objectsLayerState(table, revisionInView));
  };
  watchOperations(table.name, operations.at(-1)?.time ?? String(table.ingestTime), {
    operation(operation: Operation) {
      if (operations.some((known) => known.id === operation.id)) return;
      operations.push(operation);
      if (operation.status === "done" && moment() === undefined) {
        view.replaceRoots(operation.oldRoots, operation.newRoots);
        refreshObjects();
        notify(`${capitalised(describeOperation(operation))} by ${operation.user}`);
      }
      showMoment();
    },
    connected(now) {
      connected = now;
      showMoment();
    },
  });

  const mergeButton = element<HTMLButtonElement>("merge");
  mergeButton.addEventListener("click", () => view.toggleMerge());
  view.onMergeTool({
    toggled: (active) => mergeButton.setAttribute("aria-pressed", String(active)),
    refused: (reason) => notify(`Not merged: ${reason}`, "refusal"),
  });
  element("share").addEventListener("click", () => {
    navigator.clipboard.writeText(location.href).then(
      () => notify("Link copied: it opens exactly this view."),
      () => notify("The browser refused the clipboard; copy the address bar instead.", "refusal"),
    );
  });
  view.onStateRestored(showMoment);
  const showMistake = await offerMistakes(element("mistakes"), table.name, async (mistake) => {
    await travel(undefined);
    const [here, there] = mistake.sides;
    view.goTo(here.map((value, axis) => (value + there[axis as 0]) / 2) as Vector, 0.5);
    view.showOnly(mistake.roots);
    notify("These two pieces are one neurite: Shift + M, Ctrl + click on each, Enter.");
  });
  createHowTo(element<HTMLDialogElement>("how-to"), element("help"), showMistake);
  // A link may name an older revision of the objects layer; a live view shows the present one.
  refreshObjects();
  showMoment();
}

/** Shows the button that leads to mistakes, where there are any; what it does is returned. */
async function offerMistakes(
  place: HTMLElement,
  table: string,
  onMistake: (mistake: Mistake) => Promise<void>,
): Promise<(() => void) | undefined> {
  const mistakes = await loadMistakes(table);
  if (mistakes.count === 0) return undefined;
  const show = async () => {
    const mistake = await mistakes.next();
    if (mistake === undefined) notify("You have mended them all.");
    else await onMistake(mistake);
  };
  const lead = () => {
    show().catch((error: unknown) => notify(`No mistake to show: ${(error as Error).message}`, "refusal"));
  };
  place.querySelector("button")!.addEventListener("click", lead);
  place.querySelector("span")!.textContent = `${mistakes.count} planted`;
  place.hidden = false;
  return lead;
}

async function chooseTable(): Promise<Table> {
  const tables = await fetchTables();
  const wanted = new URLSearchParams(location.search).get("table");
  const table = wanted === null ? tables[0] : tables.find(({ name }) => name === wanted);
  if (table) return table;
  throw new Error(
    wanted === null
      ? "this server has no table"
      : `there is no table “${wanted}”; known: ${tables.map(({ name }) => name).join(", ")}`,
  );
}

function describeTable(table: Table): void {
  document.title = `${table.name} · pcg proofreader`;
  element("table-name").textContent = table.name;
  element("volume-facts").textContent = `${table.size.join(" × ")} voxels of ${table.resolution.join(" × ")} nm`;
}
