#!/usr/bin/env -S node --disable-warning=ExperimentalWarning
import './require-node.js'

const { run } = await import('../src/cli/main.ts')
process.exitCode = await run(process.argv.slice(2))
