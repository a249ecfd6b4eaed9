/**
 * What every store must do, as tests: drivers and wrappers, here and elsewhere, prove themselves with it.
 *
 * The test framework is passed in; anything with the `describe`, `test` and `expect` of vitest or jest will do.
 * @module
 */
export {
  type OpenedStore,
  type OpenForTest,
  type TestApi,
  type TestKvStoreOptions,
  testKvStore,
} from "./conformance/suite.ts";
