// Plain JavaScript that any Node understands: a start on an older one ends with one line that says what to do.
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 24 || (major === 24 && minor < 3)) {
  console.error(
    `Patchbay needs Node 24.3 or newer; this is ${process.version}. Run "npm install" here and start it with "npm start": ` +
      'npm then uses the Node 24 it installed (on macOS install Node 24 yourself).',
  )
  process.exit(1)
}
