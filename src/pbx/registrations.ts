/** Who is registered now. Implemented by pbx/registrar.ts; shown by the API. */
import type { Registration } from '../events/catalogue.ts'

export interface Registrations {
  /** Bindings of an extension that can be rung, newest first: not expired, and their connection stands. */
  of(extension: string): readonly Registration[]
  count(): number
  /** Forget all bindings of an extension (it was removed, or an administrator says so). */
  drop(extension: string): void
}
