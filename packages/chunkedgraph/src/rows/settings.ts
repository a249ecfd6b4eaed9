import type { Bytes, Column, RowMutation } from "@pcg/rowstore";
import type { GraphSettings } from "../contract.ts";
import { encodeSettings } from "../settings.ts";
import { column, KIND, PRESENT, singletonKey } from "./keys.ts";

export const SETTINGS: Column = column("s");

export function settingsKey(): Bytes {
  return singletonKey(KIND.settings);
}

export function settingsMutation(settings: GraphSettings): RowMutation {
  return {
    key: settingsKey(),
    ops: [{ op: "set", column: SETTINGS, value: encodeSettings(settings), timestamp: PRESENT }],
  };
}
