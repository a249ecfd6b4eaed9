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
  /** Source URL of the graph layer. */
  graphSource(): string | undefined;
  goTo(position: Vector): void;
  toggleMerge(): void;
  onMergeToolChanged(listener: (active: boolean) => void): void;
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

  const managed = () => viewer.layerManager.getLayerByName(graphLayer);
  // The layer class has no declarations of its own; these are the members the page relies on.
  const layer = () =>
    managed()?.layer as
      | undefined
      | {
          displayState: { segmentationGroupState: { value: { visibleSegments: IdSet; selectedSegments: IdSet } } };
          dataSources: { spec: { url: string } }[];
          tool: { value: unknown; changed: { add(listener: () => void): void } };
        };
  let watched: ReturnType<typeof layer>;
  const groups = () => layer()?.displayState.segmentationGroupState.value;

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
    graphSource: () => layer()?.dataSources[0]?.spec.url,
    goTo(position) {
      viewer.navigationState.position.value = Float32Array.from(position, (voxel) => Math.floor(voxel) + 0.5);
    },
    toggleMerge() {
      viewer.element.focus();
      viewer.activateTool("M");
    },
    onMergeToolChanged(listener) {
      const watch = () => layer()?.tool.changed.add(() => listener(layer()?.tool.value !== undefined));
      viewer.layerManager.layersChanged.add(() => {
        if (layer() === watched) return;
        watched = layer();
        listener(false);
        watch();
      });
    },
    onStateRestored(listener) {
      window.addEventListener("hashchange", () => queueMicrotask(listener));
    },
  };
}

interface IdSet extends Iterable<bigint> {
  has(id: bigint): boolean;
  add(id: bigint): void;
  delete(id: bigint): void;
}
