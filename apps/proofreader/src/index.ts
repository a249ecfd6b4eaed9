/**
 * The proofreader as a function: what the command `pcg-proofreader` does, for programs that embed it.
 * @module
 */
export { type ProofreaderOptions, startProofreader } from "./proofreader.ts";
export { ensureTutorialVolume, type TutorialVolume } from "./tutorial.ts";
