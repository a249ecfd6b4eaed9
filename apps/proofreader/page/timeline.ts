/** The slider over the operations: one stop before the first, one after each; the last stop is "now" and follows new edits. */

import type { Moment } from "./layers.ts";
import { describeOperation, momentText } from "./operation-text.ts";
import type { Operation } from "./server.ts";

export interface Timeline {
  /** Shows these operations (oldest first) and the moment the view is at. */
  show(operations: readonly Operation[], moment: Moment): void;
}

/** Builds the slider in `element`; `onMoment` is called when a person settles on another stop. `beginning` is the ingest's time. */
export function createTimeline(element: HTMLElement, onMoment: (moment: Moment) => void): Timeline {
  element.innerHTML = `
    <button type="button" class="step" data-step="-1" aria-label="One operation back" title="One operation back">‹</button>
    <div class="track"><div class="ticks" aria-hidden="true"></div><input type="range" min="0" step="1" aria-label="Operation" /></div>
    <button type="button" class="step" data-step="1" aria-label="One operation forward" title="One operation forward">›</button>
    <output></output>
    <button type="button" class="now">Now</button>`;
  const slider = element.querySelector("input")!;
  const output = element.querySelector("output")!;
  const ticks = element.querySelector<HTMLElement>(".ticks")!;
  const now = element.querySelector<HTMLButtonElement>(".now")!;
  const [back, forward] = element.querySelectorAll<HTMLButtonElement>(".step");
  let done: readonly Operation[] = [];

  // Stop k shows the state after k operations. The first stop lies just before the first operation.
  const momentOfStop = (stop: number): Moment => {
    if (stop >= done.length) return undefined;
    return stop === 0 ? justBefore(done[0]!.time) : done[stop - 1]!.time;
  };
  const stopOfMoment = (moment: Moment): number =>
    moment === undefined ? done.length : done.filter((operation) => Number(operation.time) <= Number(moment)).length;

  const describe = (stop: number) => {
    const operation = done[stop - 1];
    const what =
      stop === done.length ? "now" : operation ? `after ${describeOperation(operation)}` : "before the first operation";
    output.textContent = `${stop} of ${done.length} · ${what}`;
    output.title = operation ? momentText(operation.time) : "";
    slider.style.setProperty("--filled", `${done.length === 0 ? 100 : (100 * stop) / done.length}%`);
    back!.disabled = stop === 0;
    forward!.disabled = stop === done.length;
    now.disabled = stop === done.length;
  };
  const settle = (stop: number) => {
    slider.value = String(stop);
    describe(stop);
    onMoment(momentOfStop(stop));
  };

  slider.addEventListener("input", () => describe(Number(slider.value)));
  slider.addEventListener("change", () => settle(Number(slider.value)));
  back!.addEventListener("click", () => settle(Number(slider.value) - 1));
  forward!.addEventListener("click", () => settle(Number(slider.value) + 1));
  now.addEventListener("click", () => settle(done.length));

  return {
    show(operations, moment) {
      done = operations.filter((operation) => operation.status === "done");
      // Without operations there is one stop, "now", at the right end like always.
      slider.max = String(Math.max(1, done.length));
      slider.disabled = done.length === 0;
      slider.value = done.length === 0 ? "1" : String(stopOfMoment(moment));
      ticks.style.setProperty("--stops", String(Math.max(1, done.length)));
      ticks.hidden = done.length > 120;
      describe(stopOfMoment(moment));
    },
  };
}

/** One microsecond earlier, in text, since a double cannot hold microseconds of today exactly. */
function justBefore(time: string): string {
  const [seconds = "0", fraction = ""] = time.split(".");
  const micros = BigInt(seconds) * 1_000_000n + BigInt(fraction.padEnd(6, "0").slice(0, 6)) - 1n;
  return `${micros / 1_000_000n}.${String(micros % 1_000_000n).padStart(6, "0")}`;
}
