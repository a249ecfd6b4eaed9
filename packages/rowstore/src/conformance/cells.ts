import type { Bytes, Column, Op, Row, RowMutation } from "../contract.ts";

/** Bytes of a text, one per character (so "\0" and "\xff" say what they mean). */
export function bytes(text: string): Bytes {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

export function text(value: Bytes): string {
  return Array.from(value, (byte) => String.fromCharCode(byte)).join("");
}

/** The column written "family:qualifier". */
export function column(name: string): Column {
  const colon = name.indexOf(":");
  return { family: name.slice(0, colon), qualifier: bytes(name.slice(colon + 1)) };
}

export function set(name: string, value: string, timestamp?: bigint): Op {
  const cell = { op: "set", column: column(name), value: bytes(value) } as const;
  return timestamp === undefined ? cell : { ...cell, timestamp };
}

export function row(key: string, ...ops: Op[]): RowMutation {
  return { key: bytes(key), ops };
}

/** A row as ["key", "family:qualifier@timestamp=value", …]. */
export function show({ key, cells }: Row): string[] {
  return [
    text(key),
    ...cells.map((cell) => `${cell.family}:${text(cell.qualifier)}@${cell.timestamp}=${text(cell.value)}`),
  ];
}
