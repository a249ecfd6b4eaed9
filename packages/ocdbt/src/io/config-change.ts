import type { Config } from "../format/types.ts";

/** What differs between two configurations, or `undefined`: a name for each member and both values. */
export function describeConfigChange(expected: Config, found: Config): string | undefined {
  const changes: string[] = [];
  for (const name of Object.keys(expected) as (keyof Config)[]) {
    const [before, now] = [JSON.stringify(expected[name]), JSON.stringify(found[name])];
    if (before !== now) changes.push(`${name} is ${now} where ${before} was expected`);
  }
  return changes.length === 0 ? undefined : changes.join(", ");
}
