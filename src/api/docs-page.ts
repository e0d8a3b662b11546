/**
 * The OpenAPI document as one page that needs no script: each operation folds open to its parameters and bodies.
 */
interface Operation {
  readonly tags?: readonly string[]
  readonly summary?: string
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content?: Content }
  readonly responses?: Readonly<Record<string, { readonly description?: string; readonly content?: Content }>>
}
interface Parameter {
  readonly name: string
  readonly in: string
  readonly required?: boolean
  readonly description?: string
  readonly schema?: unknown
}
type Content = Readonly<Record<string, { readonly schema?: unknown }>>

/** The parts of an OpenAPI document that are shown. */
export interface ShownDocument {
  readonly info: { readonly title: string; readonly version: string; readonly description?: string }
  readonly tags?: readonly { readonly name: string; readonly description?: string }[]
  readonly paths?: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components?: { readonly schemas?: Readonly<Record<string, unknown>> }
}

export const docsStyle = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
details { border: 1px solid #8884; border-radius: 6px; margin: .4rem 0; padding: .4rem .8rem }
summary { cursor: pointer }
code, pre { font-family: ui-monospace, monospace; font-size: .85rem }
pre { overflow-x: auto; background: #8881; padding: .6rem; border-radius: 6px }
.method { display: inline-block; min-width: 4.5rem; font-weight: 700 }
.what { opacity: .75 }
td { padding: .15rem .8rem .15rem 0; vertical-align: top }
`

export function docsPage(document: ShownDocument): string {
  const operations = Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )
  const sections = (document.tags ?? []).map(({ name, description }) => {
    const own = operations.filter(({ operation }) => operation.tags?.[0] === name)
    return `<h2>${escapeHtml(name)}</h2><p class="what">${escapeHtml(description ?? '')}</p>${own
      .map(({ path, method, operation }) => operationHtml(path, method, operation))
      .join('')}`
  })
  const schemas = Object.entries(document.components?.schemas ?? {}).map(
    ([name, schema]) =>
      `<details id="${escapeHtml(name)}"><summary><code>${escapeHtml(name)}</code></summary>${json(schema)}</details>`,
  )
  const { title, version, description } = document.info
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(title)} API</title>
<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/api/docs/style.css"></head><body>
<h1>${escapeHtml(title)} API <small>${escapeHtml(version)}</small></h1><p>${escapeHtml(description ?? '')}</p>
<p><a href="/api/openapi.json">OpenAPI document</a></p>${sections.join('')}<h2>schemas</h2>${schemas.join('')}
</body></html>`
}

function operationHtml(path: string, method: string, operation: Operation): string {
  const parameters = (operation.parameters ?? []).map(
    ({ name, in: place, required, description, schema }) =>
      `<tr><td><code>${escapeHtml(name)}</code></td><td>${escapeHtml(place)}${required ? ', required' : ''}</td>
<td>${escapeHtml(description ?? '')} <code>${escapeHtml(JSON.stringify(schema ?? {}))}</code></td></tr>`,
  )
  const responses = Object.entries(operation.responses ?? {}).map(
    ([status, { description, content }]) =>
      `<h4>${escapeHtml(status)}</h4><p>${escapeHtml(description ?? '')}</p>${contentHtml(content)}`,
  )
  const body = operation.requestBody ? `<h4>body</h4>${contentHtml(operation.requestBody.content)}` : ''
  return `<details><summary><code><span class="method">${escapeHtml(method.toUpperCase())}</span>
${escapeHtml(path)}</code> <span class="what">${escapeHtml(operation.summary ?? '')}</span></summary>
${parameters.length > 0 ? `<table>${parameters.join('')}</table>` : ''}${body}${responses.join('')}</details>`
}

const contentHtml = (content: Content = {}): string =>
  Object.entries(content)
    .map(([type, { schema }]) => `<p><code>${escapeHtml(type)}</code></p>${json(schema)}`)
    .join('')

const json = (value: unknown): string => `<pre>${escapeHtml(JSON.stringify(value ?? {}, null, 2))}</pre>`

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escapeHtml = (text: string): string => text.replaceAll(/[&<>"]/g, (letter) => escapes[letter] ?? letter)
