"""The firmware of the I/O node (`firmware_stubs/`): its generated sources, its builds, and what they are like."""
