"""HIL rig for controllers of a pressure-roller type double-belt press."""
