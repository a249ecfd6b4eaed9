/**
 * The only module that touches Neuroglancer: its `unstable/` modules promise no stability, so the exact version is pinned
 * and everything the page needs from them is named here.
 */
import "neuroglancer";
import { makeLayer } from "neuroglancer/unstable/layer/index.js";
import { setDefaultInputEventBindings } from "neuroglancer/unstable/ui/default_input_event_bindings.js";
import { disableContextMenu, disableWheel } from "neuroglancer/unstable/ui/disable_default_actions.js";
import { makeMinimalViewer } from "neuroglancer/unstable/ui/minimal_viewer.js";
import { UrlHashBinding } from "neuroglancer/unstable/ui/url_hash_binding.js";
import { graphLayer } from "./layers.ts";
import type { Vector } from "./server.ts";

type Viewer = ReturnType<typeof makeMinimalViewer>;

export interface ProofreadingViewer {
  readonly viewer: Viewer;
  /** Adds or replaces a layer, at its place; a graphene source must never be re-pointed in place. */
  putLayer(name: string, spec: object): void;
  selectedRoots(): string[];
  /** Replaces selected objects after an edit; objects that were not selected stay unselected. */
  replaceRoots(oldRoots: readonly string[], newRoots: readonly string[]): void;
  showRoots(roots: readonly string[]): void;
  /** Selects these objects and no others. */
  showOnly(roots: readonly string[]): void;
  /** Source URL of a layer. */
  sourceOf(layer: string): string | undefined;
  /** Centres a voxel, at `zoom` voxels per pixel when given. */
  goTo(position: Vector, zoom?: number): void;
  toggleMerge(): void;
  /** Tells when the merge tool is taken or put away, and why the server refused a merge. */
  onMergeTool(listener: { toggled(active: boolean): void; refused(reason: string): void }): void;
  /** Calls back when the view came from elsewhere: a link, or back and forward. */
  onStateRestored(listener: () => void): void;
}

/** Starts the viewer in `target`, from the URL when it holds a state, else from `initial`. */
export function startViewer(target: HTMLElement, initial: object): ProofreadingViewer {
  disableContextMenu();
  disableWheel();
  const viewer = makeMinimalViewer({ target, showLayerDialog: false, resetStateWhenEmpty: false });
  setDefaultInputEventBindings(viewer.inputEventBindings);
  for (const flag of [
    "showHelpButton",
    "showEditStateButton",
    "showToolPaletteButton",
    "showAnnotationToolStatus",
  ] as const) {
    viewer.uiConfiguration[flag].value = false;
  }
  const hash = new UrlHashBinding(viewer.state, viewer.dataSourceProvider.sharedKvStoreContext, {
    defaultFragment: JSON.stringify(initial),
  });
  hash.updateFromUrlHash();
  Object.assign(window, { viewer });
  window.addEventListener("keydown", (event) => {
    if (event.key === "Escape") viewer.deactivateTools();
  });

  const layer = () => viewer.layerManager.getLayerByName(graphLayer)?.layer as SegmentationLayer | undefined;
  const groups = () => layer()?.displayState.segmentationGroupState.value;
  const mergeIsActive = () => layer()?.tool.value !== undefined;
  // A merge point counts as a selection, and the panel that opens for it would move the sections under the mouse.
  const { watchableVisible } = viewer.selectionDetailsState.location;
  watchableVisible.changed.add(() => {
    if (mergeIsActive()) watchableVisible.value = false;
  });
  let watched: ReturnType<typeof layer>;

  return {
    viewer,
    putLayer(name, spec) {
      viewer.mouseState.setActive(false);
      const old = viewer.layerManager.getLayerByName(name);
      const index = old ? viewer.layerManager.managedLayers.indexOf(old) : -1;
      if (old) viewer.layerManager.removeManagedLayer(old);
      const added = makeLayer(viewer.layerSpecification, name, spec);
      viewer.layerSpecification.add(added, index < 0 ? undefined : index);
      if (name === graphLayer) viewer.selectedLayer.layer = added;
    },
    selectedRoots: () => [...(groups()?.visibleSegments ?? [])].map(String),
    replaceRoots(oldRoots, newRoots) {
      const segments = groups();
      if (!segments) return;
      const known = oldRoots.map(BigInt).filter((root) => segments.selectedSegments.has(root));
      if (known.length === 0) return;
      const visible = known.some((root) => segments.visibleSegments.has(root));
      for (const root of known) segments.selectedSegments.delete(root);
      for (const root of newRoots.map(BigInt))
        (visible ? segments.visibleSegments : segments.selectedSegments).add(root);
    },
    showRoots(roots) {
      const segments = groups();
      for (const root of roots) segments?.visibleSegments.add(BigInt(root));
    },
    showOnly(roots) {
      groups()?.selectedSegments.clear();
      for (const root of roots) groups()?.visibleSegments.add(BigInt(root));
    },
    sourceOf: (name) =>
      (viewer.layerManager.getLayerByName(name)?.layer as SegmentationLayer | undefined)?.dataSources[0]?.spec.url,
    goTo(position, zoom) {
      if (zoom !== undefined) viewer.navigationState.zoomFactor.value = zoom;
      viewer.navigationState.position.value = Float32Array.from(position, (voxel) => Math.floor(voxel) + 0.5);
    },
    toggleMerge() {
      viewer.element.focus();
      viewer.activateTool("M");
    },
    onMergeTool({ toggled, refused }) {
      const watch = () => {
        const current = layer();
        if (current === watched) return;
        watched = current;
        toggled(false);
        current?.tool.changed.add(() => toggled(mergeIsActive()));
        const tellRefusals = () => {
          const server = current?.graphConnection.value?.graph.graphServer;
          if (server) reportFailures(server, refused);
        };
        tellRefusals();
        current?.graphConnection.changed.add(tellRefusals);
      };
      viewer.layerManager.layersChanged.add(watch);
      watch();
    },
    onStateRestored(listener) {
      window.addEventListener("hashchange", () => queueMicrotask(listener));
    },
  };
}

/** The layer class has no declarations of its own; these are the members the page relies on. */
interface SegmentationLayer {
  readonly displayState: { segmentationGroupState: { value: { visibleSegments: IdSet; selectedSegments: IdSet } } };
  readonly dataSources: readonly { spec: { url: string } }[];
  readonly tool: Watchable<unknown>;
  readonly graphConnection: Watchable<{ graph: { graphServer: GraphServer } } | undefined>;
}

interface Watchable<T> {
  readonly value: T;
  readonly changed: { add(listener: () => void): void };
}

interface IdSet extends Iterable<bigint> {
  has(id: bigint): boolean;
  add(id: bigint): void;
  delete(id: bigint): void;
  clear(): void;
}

interface GraphServer {
  mergeSegments(...args: unknown[]): Promise<unknown>;
}

const reporting = new WeakSet<GraphServer>();

/** Neuroglancer writes a refusal in small print beside the merge; say it where it is seen. */
function reportFailures(server: GraphServer, refused: (reason: string) => void): void {
  if (reporting.has(server)) return;
  reporting.add(server);
  const merge = server.mergeSegments.bind(server);
  server.mergeSegments = (...args) =>
    merge(...args).catch((error: unknown) => {
      refused(error instanceof Error ? error.message : String(error));
      throw error;
    });
}
