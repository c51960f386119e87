"""The go-live checklist as a program: each line looks at one thing, and says what to do where that is not well."""
