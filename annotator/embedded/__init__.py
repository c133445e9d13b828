"""Run Postgres, Redis and the application's own processes without Docker and without root.

Knows processes, files and sockets; it knows neither Django nor what the application does.
"""
