import { formatUrl, isKvStoreError, type ParsedUrl, parseUrl } from "@pcg/kvstore";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

const file = (path: string) => ({ scheme: "file", authority: "", path });

describe("a pipeline URL", () => {
  const good: [string, ParsedUrl][] = [
    ["file:///dir/", { base: file("/dir/"), stages: [] }],
    ["file://localhost/dir", { base: file("/dir"), stages: [] }],
    ["FILE:///a%20b/%E5%90%8D", { base: file("/a b/名"), stages: [] }],
    ["/data/a%20b", { base: file("/data/a%20b"), stages: [] }],
    ["../data/segmentation", { base: file("../data/segmentation"), stages: [] }],
    ["C:\\data", { base: file("C:\\data"), stages: [] }],
    ["memory://", { base: { scheme: "memory", authority: "", path: "/" }, stages: [] }],
    ["memory://name/x", { base: { scheme: "memory", authority: "name", path: "/x" }, stages: [] }],
    ["gs://bucket", { base: { scheme: "gs", authority: "bucket", path: "/" }, stages: [] }],
    ["gs://bucket/a%2Bb/", { base: { scheme: "gs", authority: "bucket", path: "/a+b/" }, stages: [] }],
    [
      "https://host:8080/a%20b/?x=1&y",
      { base: { scheme: "https", authority: "host:8080", path: "/a%20b/", query: "?x=1&y" }, stages: [] },
    ],
    ["middleauth+https://host/v", { base: { scheme: "middleauth+https", authority: "host", path: "/v" }, stages: [] }],
    [
      "file:///db/|ocdbt:@v12/seg%20x/|neuroglancer-precomputed:",
      {
        base: file("/db/"),
        stages: [
          { scheme: "ocdbt", path: "@v12/seg x/" },
          { scheme: "neuroglancer-precomputed", path: "" },
        ],
      },
    ],
    ["/db|zarr3:a%7Cb", { base: file("/db"), stages: [{ scheme: "zarr3", path: "a|b" }] }],
    ["precomputed://file:///x", { base: file("/x"), stages: [{ scheme: "neuroglancer-precomputed", path: "" }] }],
    ["precomputed:///x", { base: file("/x"), stages: [{ scheme: "neuroglancer-precomputed", path: "" }] }],
    ["zarr://./x", { base: file("./x"), stages: [{ scheme: "zarr", path: "" }] }],
    [
      "zarr2://gs://b/x",
      { base: { scheme: "gs", authority: "b", path: "/x" }, stages: [{ scheme: "zarr2", path: "" }] },
    ],
    ["n5:///x", { base: file("/x"), stages: [{ scheme: "n5", path: "" }] }],
    [
      "zarr3:///x.zip|zip:in/",
      {
        base: file("/x.zip"),
        stages: [
          { scheme: "zip", path: "in/" },
          { scheme: "zarr3", path: "" },
        ],
      },
    ],
    [
      "graphene://https://host/segmentation/table/t",
      {
        base: { scheme: "https", authority: "host", path: "/segmentation/table/t" },
        stages: [{ scheme: "graphene", path: "" }],
      },
    ],
  ];
  test.each(good)("%s", (text, parsed) => {
    expect(parseUrl(text)).toEqual(parsed);
    if (parsed.base.scheme !== "file" || parsed.base.path.startsWith("/")) {
      expect(parseUrl(formatUrl(parsed))).toEqual(parsed);
    }
  });

  const bad: [string, string][] = [
    ["", "does not begin with a base"],
    ["|zarr3:", "does not begin with a base"],
    ["file:/x", "two slashes"],
    ["file://host/x", 'names "host"'],
    ["file:///x?y", "%3F"],
    ["file:///x#y", "%23"],
    ["file:///x%2", "malformed %-escape"],
    ["file:///x%ff", "malformed %-escape"],
    ["file:///x%00", "NUL"],
    ["file:///x\0", "NUL"],
    ["/x|", 'stage "" is not of the form'],
    ["/x|zarr3", 'stage "zarr3" is not of the form'],
    ["/x|zarr3:%zz", "malformed %-escape"],
    ["/x|3z:", "is not of the form"],
    ["https:///x", "needs a host or bucket"],
    ["gs://", "needs a host or bucket"],
    ["https://user:secret@host/x", "credentials"],
    ["https://ho st/x", "white space"],
    ["precomputed://", "only once"],
    ["precomputed://zarr://x", "only once"],
    ["/x\ud800", "well-formed Unicode"],
    [`/${"x".repeat(70_000)}`, "longer than 65536"],
  ];
  test.each(bad)("%j is refused", (text, reason) => {
    let error: unknown;
    try {
      parseUrl(text);
    } catch (caught) {
      error = caught;
    }
    expect(isKvStoreError(error, "bad-url")).toBe(true);
    expect((error as Error).message).toContain(reason);
    expect((error as Error).message.length).toBeLessThan(1000);
  });

  test("any text is parsed or refused with bad-url, and what is parsed survives formatting", () => {
    const fragment = fc.constantFrom(
      "file",
      "://",
      "/",
      "|",
      ":",
      "%",
      "%41",
      "%7C",
      "ocdbt",
      "@v1",
      "a",
      "é",
      "?",
      "#",
      " ",
      "gs",
      "..",
      "precomputed://",
      "\ud800",
      "\0",
      "https",
    );
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(fragment, { maxLength: 12 }).map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(text, (input) => {
        let parsed: ParsedUrl;
        try {
          parsed = parseUrl(input);
        } catch (error) {
          expect(isKvStoreError(error, "bad-url")).toBe(true);
          return;
        }
        const relative = parsed.base.scheme === "file" && !parsed.base.path.startsWith("/");
        if (!relative) expect(parseUrl(formatUrl(parsed))).toEqual(parsed);
      }),
      { numRuns: 3000 },
    );
  });

  test("any path and any stages survive formatting and parsing", () => {
    const path = fc.string({ unit: "grapheme" }).filter((text) => !text.includes("\0"));
    const stage = fc.record({ scheme: fc.constantFrom("ocdbt", "zarr3", "x-y.z+1"), path });
    fc.assert(
      fc.property(path, fc.array(stage, { maxLength: 4 }), (tail, stages) => {
        const url = { base: file(`/${tail}`), stages };
        expect(parseUrl(formatUrl(url))).toEqual(url);
      }),
    );
  });
});
