export { default } from "../testkit/vitest.mjs";
