"""What the bus is made of: settings, frames on the wire, what can go wrong with them, and the master's adapter."""
