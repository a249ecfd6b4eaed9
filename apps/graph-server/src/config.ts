/**
 * Settings of the server: flags win over environment variables, which win over a YAML file.
 * @module
 */
import { LineCounter, parseDocument } from "yaml";
import { z } from "zod";

const port = z.coerce.number().int().min(0).max(65_535);
const list = z.union([z.string().transform((text) => text.split(",").map((part) => part.trim())), z.array(z.string())]);
const origin = z.url({ protocol: /^https?$/ }).transform((text) => new URL(text).origin);

const schema = z.strictObject({
  /** Folder of the tables. */
  data: z.string({ error: "name the data folder: --data DIR, PCG_DATA, or data: in the YAML file" }).min(1),
  port: port.default(8080),
  host: z.string().min(1).default("127.0.0.1"),
  /** One token for everybody … */
  token: z.string().min(8).optional(),
  /** … or one for each person. */
  tokens: z.array(z.strictObject({ token: z.string().min(8), user: z.string().min(1) })).default([]),
  /** Name of edits made without a person's own token. */
  user: z.string().min(1).default("anonymous"),
  publicUrl: z.url({ protocol: /^https?$/ }).optional(),
  /** Origins whose pages may edit without a token. */
  allowOrigin: list.pipe(z.array(origin)).default([]),
  bodyBytes: z.coerce
    .number()
    .int()
    .min(1024)
    .max(2 ** 30)
    .default(32 * 2 ** 20),
  objectCacheBytes: z.coerce
    .number()
    .int()
    .min(0)
    .max(2 ** 40)
    .default(128 * 2 ** 20),
  logLevel: z.enum(["silent", "error", "info", "debug"]).default("info"),
});

export type Config = z.infer<typeof schema>;
type Key = keyof z.input<typeof schema>;

/** Settings somebody wrote, and where. */
interface Source {
  readonly values: Readonly<Record<string, unknown>>;
  /** Names the place of a key for a person, e.g. `server.yaml line 3`. */
  place(key: string): string;
}

/** A setting that is wrong; the message names the place, the key and the value. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly key: string | undefined;

  constructor(message: string, key?: string, options?: ErrorOptions) {
    super(message, options);
    this.key = key;
  }
}

export interface ConfigInput {
  /** Flags by key; `undefined` when not given. */
  readonly flags: Readonly<Partial<Record<Key, unknown>>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly file?: { readonly name: string; readonly text: string };
}

/** @throws ConfigError */
export function readConfig({ flags, env, file }: ConfigInput): Config {
  const sources = [flagSource(flags), environmentSource(env), ...(file ? [yamlSource(file.name, file.text)] : [])];
  const values: Record<string, unknown> = {};
  for (const source of sources.toReversed()) Object.assign(values, source.values);
  const parsed = schema.safeParse(values);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    const key = String(issue.path[0] ?? (issue.code === "unrecognized_keys" ? issue.keys[0] : ""));
    const source = sources.find(({ values }) => key in values);
    const place = source?.place(key) ?? "settings";
    const value = source === undefined ? "" : ` (is ${JSON.stringify(isSecret(key) ? "…" : values[key])})`;
    throw new ConfigError(`${place}: ${issue.path.join(".") || key}: ${issue.message}${value}`, key, {
      cause: parsed.error,
    });
  }
  const config = parsed.data;
  if (!isLoopback(config.host) && config.token === undefined && config.tokens.length === 0) {
    const message = `host ${config.host} can be reached from other machines: set a token, or listen on 127.0.0.1`;
    throw new ConfigError(message, "host");
  }
  return config;
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\./.test(host);
}

function flagSource(flags: ConfigInput["flags"]): Source {
  const given = Object.entries(flags).filter(([, value]) => value !== undefined);
  return { values: Object.fromEntries(given), place: (key) => `--${dashed(key, "-")}` };
}

function environmentSource(env: ConfigInput["env"]): Source {
  const name = (key: string): string => `PCG_${dashed(key, "_").toUpperCase()}`;
  const given = Object.keys(schema.shape).filter((key) => key !== "tokens" && env[name(key)]);
  return { values: Object.fromEntries(given.map((key) => [key, env[name(key)]])), place: name };
}

function yamlSource(name: string, text: string): Source {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const error = document.errors[0];
  if (error !== undefined) throw new ConfigError(`${name}: ${error.message}`, undefined, { cause: error });
  const values: unknown = document.toJS() ?? {};
  if (typeof values !== "object" || Array.isArray(values))
    throw new ConfigError(`${name}: must be a list of "key: value"`);
  return {
    values: values as Record<string, unknown>,
    place: (key) => {
      const range = (document.get(key, true) as { range?: [number, number, number] } | undefined)?.range;
      return range === undefined ? name : `${name} line ${lines.linePos(range[0]).line}`;
    },
  };
}

function dashed(key: string, dash: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => dash + letter.toLowerCase());
}

function isSecret(key: string): boolean {
  return key === "token" || key === "tokens";
}
