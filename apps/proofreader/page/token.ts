/** Asks for the access token of a server that wants one. */
import { rememberToken } from "./server.ts";

/** @param reason what the server said to the request without one, or with a wrong one */
export function askForToken(reason: string): Promise<void> {
  const dialog = document.body.appendChild(document.createElement("dialog"));
  dialog.innerHTML = `<h2>This server asks for a token</h2><p class="reason"></p>
    <p class="quiet">Whoever runs it can tell you; it was set with <code>--token</code>.</p>
    <form method="dialog"><input type="password" aria-label="Token" autocomplete="current-password" required autofocus />
    <button class="primary">Open</button></form>`;
  dialog.querySelector(".reason")!.textContent = reason.split(";")[0]!.replace(/^./, (letter) => letter.toUpperCase());
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      rememberToken(dialog.querySelector("input")!.value);
      dialog.remove();
      resolve();
    });
  });
}
