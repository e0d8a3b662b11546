/** How the console is built, and how `npx vite` in this folder serves it while it is worked on. */
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** A running server for the development mode. */
const server = process.env.PATCHBAY_URL ?? 'http://127.0.0.1:8080'

export default defineConfig({
  plugins: [react()],
  // The content security policy allows `img-src 'self' data:` but no inline script or font.
  build: {
    target: 'es2023',
    // Browsers that know light-dark(): rewritten for older ones it would not follow the page's switch.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { '^/api/': { target: server, ws: true }, '/status': server, '/health': server } },
})
