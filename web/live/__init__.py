"""The live view: what a screen sees of its territories, kept current over one WebSocket.

Read in this order: `frames` (the whole wire), `board` (a territory in memory), `session` (one
viewer, without a socket), `hub` (who listens to what), `presence` (the open sockets), `socket`.
"""
