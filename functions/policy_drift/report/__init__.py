"""The report of a scan as a page for people; its template and style beside it."""
