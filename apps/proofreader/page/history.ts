/** The list of operations: who, when, where; a click goes there. */

import type { Moment } from "./layers.ts";
import { agoText, capitalised, describeOperation, momentText } from "./operation-text.ts";
import type { Operation } from "./server.ts";

export interface HistoryList {
  /** Newest on top; operations after `moment` are dimmed. */
  show(operations: readonly Operation[], moment: Moment): void;
}

export function createHistory(aside: HTMLElement, onVisit: (operation: Operation) => void): HistoryList {
  const list = aside.querySelector("ol")!;
  const empty = aside.querySelector<HTMLElement>("#no-operations")!;
  const count = aside.querySelector<HTMLElement>("#operation-count")!;
  return {
    show(operations, moment) {
      empty.hidden = operations.length > 0;
      count.textContent = operations.length === 0 ? "" : String(operations.length);
      list.replaceChildren(...operations.toReversed().map((operation) => entry(operation, moment, onVisit)));
    },
  };
}

function entry(operation: Operation, moment: Moment, onVisit: (operation: Operation) => void): HTMLElement {
  const item = document.createElement("li");
  item.classList.toggle("later", moment !== undefined && Number(operation.time) > Number(moment));
  item.classList.toggle("refused", operation.status === "refused");
  const button = item.appendChild(document.createElement("button"));
  button.type = "button";
  button.title = operation.position ? "Go there" : "This operation has no position";
  button.disabled = operation.position === null;
  button.append(
    line("what", `${capitalised(describeOperation(operation))}${operation.status === "refused" ? " — refused" : ""}`),
    line("when", agoText(operation.time), momentText(operation.time)),
    line("who", operation.user),
    line("where", operation.position?.map(Math.floor).join(", ") ?? ""),
  );
  button.addEventListener("click", () => onVisit(operation));
  return item;
}

function line(kind: string, text: string, title?: string): HTMLElement {
  const span = document.createElement("span");
  span.className = kind;
  span.textContent = text;
  if (title !== undefined) span.title = title;
  return span;
}
