"""Redis against PostgreSQL: what a crash left between them is found and mended.

Each function serves one territory, once: `sweep` what time changes, `relay` what a dead request
left in the outbox, `revoke` what a dead confirmer sealed, `mend` what differs, `rebuild` all of it.
All may run twice, late, or in several processes at once.
"""
