"""The film: its properties, and the laboratory that measures them."""
