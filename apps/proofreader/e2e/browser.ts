import type { LaunchOptions } from "playwright-core";

/** Chromium without a screen, drawing by the processor. */
export const browserOptions: LaunchOptions = {
  executablePath: process.env.PCG_CHROMIUM ?? "/usr/bin/chromium",
  headless: true,
  args: [
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
  ],
};
