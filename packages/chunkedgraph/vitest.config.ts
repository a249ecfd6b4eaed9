import { mergeConfig } from "vitest/config";
import shared from "../../internal/testkit/vitest.mjs";

// The files share their modules: none changes any, and loading them for each file took a third of the time.
export default mergeConfig(shared, { test: { isolate: false } });
