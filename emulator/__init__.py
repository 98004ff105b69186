"""The virtual press: machine, material, node, bus and ports."""
