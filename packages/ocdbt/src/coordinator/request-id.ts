/**
 * Names of requests, so that a request that is sent again is not done again.
 * @module
 */

/** One commit asked for by one client. A client never uses a number twice. */
export interface RequestId {
  /** 32 hexadecimal digits, drawn at random by the client. */
  readonly client: string;
  readonly seq: bigint;
}

export const CLIENT_BYTES = 16;

export function newClientId(): string {
  return clientIdFromBytes(crypto.getRandomValues(new Uint8Array(CLIENT_BYTES)));
}

export function clientIdFromBytes(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

export function clientIdToBytes(client: string): Uint8Array {
  if (!/^[0-9a-f]{32}$/.test(client)) {
    throw new RangeError(`client ${JSON.stringify(client)} is not 32 lower-case hexadecimal digits`);
  }
  return Uint8Array.from({ length: CLIENT_BYTES }, (_, i) => Number.parseInt(client.slice(2 * i, 2 * i + 2), 16));
}

export function requestName({ client, seq }: RequestId): string {
  return `${client}/${seq}`;
}
