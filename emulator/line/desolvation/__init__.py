"""Desolvation: the process solvent leaves the sheet for a bath liquid, which then dries off.

`solvent` is the process solvent, the paraffin oil of the gel; `extractant` the volatile liquid of the baths.
"""
