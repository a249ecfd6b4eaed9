export { default } from "../../internal/testkit/vitest.mjs";
