/** The first minute: what a newcomer does, shown once and again on demand. */

const seenKey = "pcg-first-steps-seen";

const find: readonly [string, string] = [
  "Find a mistake",
  "This tissue has neurites cut in two on purpose. “Show me a mistake” goes to one and selects both pieces.",
];
const steps: readonly (readonly [string, string])[] = [
  ["Look", "Drag to move, wheel to go through the sections, Ctrl + wheel to zoom, right-click to centre."],
  ["Select", "Double-click an object: it lights up. Double-click again to put it away."],
  [
    "Merge",
    "Select two pieces that belong together, press Shift + M, Ctrl + click a point on each, then Enter. Esc puts the tool away.",
  ],
  ["Go back", "Drag the slider below: you see every earlier state, untouched. “Now” brings you back to editing."],
];

/** @param showMistake goes to a planted mistake; absent where there are none */
export function createHowTo(dialog: HTMLDialogElement, opener: HTMLElement, showMistake?: () => void): void {
  dialog.innerHTML = `<h2>First steps</h2><ol></ol><form method="dialog">${
    showMistake ? `<button value="mistake">Show me a mistake</button>` : ""
  }<button class="primary" autofocus>Start proofreading</button></form>`;
  dialog.querySelector("ol")!.append(
    ...(showMistake ? [find, ...steps] : steps).map(([title, text]) => {
      const item = document.createElement("li");
      item.appendChild(document.createElement("strong")).textContent = title;
      item.append(text);
      return item;
    }),
  );
  dialog.addEventListener("close", () => {
    localStorage.setItem(seenKey, "1");
    if (dialog.returnValue === "mistake") showMistake?.();
    dialog.returnValue = "";
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  opener.addEventListener("click", () => dialog.showModal());
  if (localStorage.getItem(seenKey) === null) dialog.showModal();
}
