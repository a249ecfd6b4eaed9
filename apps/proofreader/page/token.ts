/** Asks for the access token of a server that wants one. */
import { rememberToken } from "./server.ts";

export function askForToken(): Promise<void> {
  const dialog = document.body.appendChild(document.createElement("dialog"));
  dialog.innerHTML = `<h2>This server asks for a token</h2>
    <p class="quiet">Whoever runs it can tell you; it was set with <code>--token</code>.</p>
    <form method="dialog"><input type="password" aria-label="Token" autocomplete="current-password" required autofocus />
    <button class="primary">Open</button></form>`;
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.querySelector("form")!.addEventListener("submit", () => {
      rememberToken(dialog.querySelector("input")!.value);
      dialog.remove();
      resolve();
    });
  });
}
