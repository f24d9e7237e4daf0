"""Jobs, the command line and the supervisor. Imports slots, never web."""
