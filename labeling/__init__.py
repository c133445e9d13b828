"""Labels on solutions: domain, rows, reads, writes, pages, API."""
