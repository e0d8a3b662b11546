/** A search field that asks when typing pauses, not at each letter. */
import { TextInput } from '@mantine/core'
import { useEffect, useRef, useState } from 'react'
import { SearchIcon } from './icons.tsx'

const pauseMs = 300

interface SearchFieldProps {
  readonly label: string
  readonly placeholder: string
  readonly value: string
  readonly onSearch: (text: string) => void
}

export function SearchField({ label, placeholder, value, onSearch }: SearchFieldProps) {
  const [typed, setTyped] = useState(value)
  const searched = useRef(value)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  // The value changes from outside too: filters cleared, "back".
  useEffect(() => {
    if (value !== searched.current) setTyped(value)
    searched.current = value
  }, [value])
  useEffect(() => () => clearTimeout(timer.current), [])
  // The one of the latest render: another filter may have been chosen since a letter was typed.
  const search = useRef(onSearch)
  useEffect(() => {
    search.current = onSearch
  }, [onSearch])

  const searchNow = (text: string) => {
    clearTimeout(timer.current)
    if (text.trim() === searched.current) return
    searched.current = text.trim()
    search.current(text.trim())
  }
  const type = (text: string) => {
    setTyped(text)
    clearTimeout(timer.current)
    timer.current = setTimeout(() => searchNow(text), pauseMs)
  }

  return (
    <TextInput
      type="search"
      label={label}
      placeholder={placeholder}
      leftSection={<SearchIcon size={16} />}
      value={typed}
      maxLength={200}
      onChange={(event) => type(event.currentTarget.value)}
      // Not later: whoever leaves it for a link would be called back from there by the changed address.
      onBlur={(event) => searchNow(event.currentTarget.value)}
    />
  )
}
