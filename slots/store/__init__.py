"""The only callers of the named queries: rows in, dataclasses out; the connection comes first."""
