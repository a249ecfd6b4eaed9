/** Neuroglancer as it is published: its own viewer, which takes its state from the URL. */
import "neuroglancer/unstable/main.bundle.js";
