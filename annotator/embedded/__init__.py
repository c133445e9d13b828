"""Run Postgres, Redis and the application's own processes without Docker and without root.

Knows processes, files and sockets; it knows no Django, and of the application only what to start.
"""
