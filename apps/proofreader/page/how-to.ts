/** The first minute: what a newcomer does, shown once and again on demand. */

const seenKey = "pcg-first-steps-seen";

const steps: readonly (readonly [string, string])[] = [
  ["Look", "Drag to move, wheel to go through the sections, Ctrl + wheel to zoom, right-click to centre."],
  ["Select", "Double-click an object: it lights up. Double-click again to put it away."],
  [
    "Merge",
    "Select two pieces that belong together, press Shift + M, Ctrl + click a point on each, then Enter. Esc puts the tool away.",
  ],
  ["Go back", "Drag the slider below: you see every earlier state, untouched. “Now” brings you back to editing."],
];

export function createHowTo(dialog: HTMLDialogElement, opener: HTMLElement): void {
  dialog.innerHTML = `<h2>First steps</h2><ol></ol><form method="dialog"><button class="primary" autofocus>Start proofreading</button></form>`;
  dialog.querySelector("ol")!.append(
    ...steps.map(([title, text]) => {
      const item = document.createElement("li");
      item.appendChild(document.createElement("strong")).textContent = title;
      item.append(text);
      return item;
    }),
  );
  dialog.addEventListener("close", () => localStorage.setItem(seenKey, "1"));
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  opener.addEventListener("click", () => dialog.showModal());
  if (localStorage.getItem(seenKey) === null) dialog.showModal();
}
