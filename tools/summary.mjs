/** Test counts of several runners, printed as one closing line. */
import { readFileSync } from "node:fs";

/** Counts in a vitest JSON report; a test file that could not even be loaded counts as one failure. */
export function readVitestReport(name, file) {
  const report = JSON.parse(readFileSync(file, "utf8"));
  const broken = report.testResults.filter(
    (suite) => suite.status === "failed" && suite.assertionResults.length === 0,
  ).length;
  return {
    name,
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/** Counts in a JUnit XML report as pytest writes it. */
export function readJunitReport(name, file) {
  const xml = readFileSync(file, "utf8");
  const number = (key) => Number(new RegExp(`<testsuite [^>]*\\b${key}="(\\d+)"`).exec(xml)?.[1] ?? 0);
  const failed = number("failures") + number("errors");
  return { name, passed: number("tests") - failed - number("skipped"), failed, skipped: number("skipped") };
}

/** Prints one line per report and the sum; returns the exit code for a runner that ended with `code`. */
export function printSummary(reports, code) {
  const sum = { passed: 0, failed: 0, skipped: 0 };
  for (const report of reports) {
    for (const key of Object.keys(sum)) sum[key] += report[key];
    console.log(`${report.name}: ${report.passed} passed, ${report.failed} failed, ${report.skipped} skipped`);
  }
  if (code !== 0 && sum.failed === 0) sum.failed = 1;
  console.log(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
  return sum.failed === 0 && sum.passed > 0 ? 0 : 1;
}
