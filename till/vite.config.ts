import { VitePWA } from "vite-plugin-pwa";
import { defineConfig } from "vitest/config";

const PAGE = "/caja/";
const ASSETS = "/static/till/";

export default defineConfig(({ mode }) => ({
  base: mode === "test" ? "/" : ASSETS,
  build: {
    outDir: "../ventas/static/till",
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    target: "es2022",
  },
  test: { include: ["tests/**/*.test.ts"], environment: "node", testTimeout: 30_000 },
  plugins: [
    VitePWA({
      strategies: "generateSW",
      registerType: "prompt",
      injectRegister: false,
      manifest: false, // public/manifest.webmanifest: the plugin would precache its own under an address of its own
      workbox: {
        globPatterns: ["**/*.{js,css,html,svg,png,webmanifest}"],
        globIgnores: ["**/decoder-*"],
        inlineWorkboxRuntime: true,
        cleanupOutdatedCaches: true,
        sourcemap: false,
        // The page is served at /caja/; everything else where Django's static files are.
        manifestTransforms: [
          async (entries) => ({
            manifest: entries.map((entry) => ({
              ...entry,
              url: entry.url === "index.html" ? PAGE : ASSETS + entry.url,
            })),
          }),
        ],
        navigateFallback: PAGE,
        navigateFallbackAllowlist: [/^\/caja\/(\?|$)/],
        // The camera's decoder is large: kept once it was used.
        runtimeCaching: [
          {
            urlPattern: /\/static\/till\/assets\/.*(decoder-|\.wasm)/,
            handler: "CacheFirst",
            options: { cacheName: "decoder", expiration: { maxEntries: 4 } },
          },
        ],
      },
    }),
  ],
}));
