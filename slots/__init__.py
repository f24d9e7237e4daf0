"""The domain and the broker of 48H Chrono. Imports neither `web` nor `workers`.

Reading order: `slot` (what may happen to a place in time) · `lua/hold.lua` (who gets it) ·
`broker` (the only writer of Redis) · `booking/confirming` (how a hold becomes true) ·
`reconcile` (what mends what a crash left).

Words: a *Slot* has *seats*; a *hold* claims one until it expires; *confirm* makes it an
*Appointment*. ARCHITECTURE.md tells the rest.
"""
