"""Pictures of the main states, as their users see them: `make screenshots`."""
