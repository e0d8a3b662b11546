/**
 * Build the console into a folder: `node console/build.ts <folder>`. Run as a process of its own by
 * src/ops/console-build.ts, so that the builder's memory and threads are gone before the server takes calls.
 */
import { build } from 'vite'

const outDir = process.argv[2] ?? 'dist'
await build({ root: import.meta.dirname, logLevel: 'error', build: { outDir, emptyOutDir: true } })
