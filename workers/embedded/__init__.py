"""PostgreSQL and Valkey from wheels, and the supervisor of `chrono48 up`."""
