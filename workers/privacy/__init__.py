"""Says what an installation stores about whom, and until when."""
