"""The people and places of a CPTS as a table: read, checked, and written out again. Pure."""
