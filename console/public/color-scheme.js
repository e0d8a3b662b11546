// Runs before the first paint, so that a dark page does not flash white. A file of its own: the content security
// policy allows no inline script. Mantine keeps the choice under this name.
const kept = localStorage.getItem('mantine-color-scheme-value')
const systemIsDark = matchMedia('(prefers-color-scheme: dark)').matches
const scheme = kept === 'light' || kept === 'dark' ? kept : systemIsDark ? 'dark' : 'light'
document.documentElement.setAttribute('data-mantine-color-scheme', scheme)
