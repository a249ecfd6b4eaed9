/** What a command gets from its process. */
export interface Surroundings {
  /** Results. Resolves when the other side has taken them. */
  readonly out: (data: string | Uint8Array) => Promise<void>;
  /** Progress and messages. */
  readonly err: (text: string) => void;
  readonly input: () => AsyncIterable<Uint8Array>;
  readonly stop: AbortSignal;
}
