/** Chromium (Debian's), without a window, for the tests of the console. What a page complains of is kept. */
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { findProgram } from '../support/program.ts'

export const chromiumPath = process.env['CHROMIUM'] ?? findProgram('chromium') ?? findProgram('chromium-browser')

export function startChromium(): Promise<Browser> {
  return chromium.launch({
    ...(chromiumPath && { executablePath: chromiumPath }),
    // CI runs as root, where Chromium's sandbox does not start.
    args: ['--no-sandbox', '--disable-gpu', '--autoplay-policy=user-gesture-required'],
  })
}

export interface Visit {
  readonly page: Page
  /** Script errors, refused scripts and styles, warnings of React. Answers 4xx that the page handles are none, nor is a refused connection. */
  readonly complaints: readonly string[]
  close(): Promise<void>
}

/** Somebody new with a browser of their own: nothing kept from before. */
export async function visit(browser: Browser, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 900 }, ...options })
  context.setDefaultTimeout(20_000)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    const isAnswer =
      /^Failed to load resource: (the server responded with a status of 4|net::ERR_CONNECTION_REFUSED)/.test(
        message.text(),
      )
    if (['error', 'warning'].includes(message.type()) && !isAnswer) complaints.push(message.text())
  })
  return { page, complaints, close: () => context.close() }
}

export async function signIn(page: Page, name: string, password: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Name' }).fill(name)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}
