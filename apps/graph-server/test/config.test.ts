import { describe, expect, test } from "vitest";
import { ConfigError, type ConfigInput, readConfig } from "../src/config.ts";

const read = (input: Partial<ConfigInput>) => readConfig({ flags: {}, env: {}, ...input });
const yaml = (text: string) => ({ file: { name: "server.yaml", text } });

describe("settings", () => {
  test("flags win over the environment, which wins over the file, which wins over defaults", () => {
    const file = yaml("data: from-file\nport: 1\nuser: file\nlogLevel: debug\n");
    const env = { PCG_PORT: "2", PCG_USER: "env", PCG_PUBLIC_URL: "https://pcg.example/x" };
    expect(read({ flags: { port: "3", data: undefined }, env, ...file })).toMatchObject({
      data: "from-file",
      port: 3,
      user: "env",
      logLevel: "debug",
      host: "127.0.0.1",
      publicUrl: "https://pcg.example/x",
    });
  });

  test("tokens of several people, and origins as a list or a line", () => {
    const config = read(
      yaml("data: d\nhost: 0.0.0.0\ntokens:\n  - { token: abcdefgh, user: ann }\nallowOrigin: [https://a.example/x]\n"),
    );
    expect(config.tokens).toEqual([{ token: "abcdefgh", user: "ann" }]);
    expect(config.allowOrigin).toEqual(["https://a.example"]);
    expect(read({ flags: { data: "d", allowOrigin: "https://a.example, http://b.example:8" } }).allowOrigin).toEqual([
      "https://a.example",
      "http://b.example:8",
    ]);
  });

  test.each([
    [{ flags: { data: "d", port: "x" } }, /^--port: port: .*\(is "x"\)$/],
    [{ flags: { data: "d" }, env: { PCG_LOG_LEVEL: "loud" } }, /^PCG_LOG_LEVEL: logLevel: .*\(is "loud"\)$/],
    [yaml("data: d\n\nport: 99999\n"), /^server.yaml line 3: port: .*\(is 99999\)$/],
    [yaml("data: d\nprot: 1\n"), /^server.yaml line 2: prot: .*prot/],
    [yaml("data: [d\n"), /^server.yaml: .*line 1|^server.yaml: /],
    [yaml("- data\n"), /^server.yaml: must be a list of/],
    [yaml("data: d\ntoken: short\n"), /^server.yaml line 2: token: .*\(is "…"\)$/],
    [{}, /^settings: data: /],
    [{ flags: { data: "d", host: "0.0.0.0" } }, /host 0.0.0.0 can be reached from other machines: set a token/],
  ])("what is wrong is named with its place: %o", (input, message) => {
    expect(() => read(input as Partial<ConfigInput>)).toThrow(ConfigError);
    expect(() => read(input as Partial<ConfigInput>)).toThrow(message);
  });

  test("a secret never stands in a message", () => {
    expect(() => read({ flags: { data: "d", token: "1234567" } })).not.toThrow(/1234567/);
  });
});
