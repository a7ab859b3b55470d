"""What other systems configure, converted to the settings of jhext; pure functions."""
