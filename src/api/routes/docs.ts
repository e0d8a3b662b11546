/** The API's own description. */
import type { App } from '../app.ts'
import { docsPage, docsStyle, type ShownDocument } from '../docs-page.ts'

export function docsRoutes(app: App): void {
  const open = { config: { access: 'public' }, schema: { hide: true } } as const

  app.get('/api/openapi.json', open, () => app.swagger())
  app.get('/api/docs', open, (_request, reply) =>
    reply.type('text/html; charset=utf-8').send(docsPage(app.swagger() as ShownDocument)),
  )
  app.get('/api/docs/style.css', open, (_request, reply) => reply.type('text/css; charset=utf-8').send(docsStyle))
}
