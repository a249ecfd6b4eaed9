/** Short messages at the lower edge: what happened elsewhere, and why something was refused. */

export function createNotices(element: HTMLElement): (text: string, kind?: "info" | "refusal") => void {
  return (text, kind = "info") => {
    // A merge is tried three times; one message says it.
    for (const shown of element.children) if (shown.firstChild?.textContent === text) return;
    const notice = element.appendChild(document.createElement("div"));
    notice.className = kind;
    notice.textContent = text;
    const close = notice.appendChild(document.createElement("button"));
    close.type = "button";
    close.setAttribute("aria-label", "Dismiss");
    close.textContent = "×";
    close.addEventListener("click", () => notice.remove());
    window.setTimeout(() => notice.remove(), kind === "refusal" ? 12_000 : 5_000);
  };
}
