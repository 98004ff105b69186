"""The process line: the stations before and after the press."""
