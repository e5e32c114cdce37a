"""The scenarios over HTTP: a runner that knows HTTP and JSON alone, and a proxy that breaks it."""
