"""The changes of the schema, oldest first; each file is one step."""
