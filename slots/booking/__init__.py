"""The use cases, each in the order of its writes: ledger first, then the news to the broker.

`offering` · `holding` · `confirming` · `appointments`; `once` runs a command once per key and
`applying` brings what it changed to the broker. Who may do what is decided where the row is known.
"""
