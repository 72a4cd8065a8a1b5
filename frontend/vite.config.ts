import react from "@vitejs/plugin-react";
import optimizeLocales from "@react-aria/optimize-locales-plugin";
import { defineConfig } from "vitest/config";

export default defineConfig({
  base: "/console/",
  plugins: [react(), { ...optimizeLocales.vite({ locales: ["en-US", "de-DE"] }), enforce: "pre" }],
  build: {
    target: "es2023",
    // The policy allows no inline script and no data: fonts; everything is a file with a digest.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: true,
    reportCompressedSize: false,
  },
  server: {
    proxy: {
      "^/(draft-orders|erp-|audit-log|approval-policy|console/(config|sign-in))": gateway(),
    },
  },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.{ts,tsx}"],
  },
});

function gateway(): string {
  return process.env.COUNTERSIGN_URL ?? "http://127.0.0.1:8080";
}
