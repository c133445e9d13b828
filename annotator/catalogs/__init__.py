"""The catalogs of translations: what the code says, what is translated, and the compiled files.

For `make messages` and the laws; a running program reads only the compiled files under locale/.
"""
