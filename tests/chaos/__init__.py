"""`make chaos`: clients hammer the whole service while all that it runs on is killed and frozen."""
