"""A member's own account: what it holds and may, its sessions, taking its data along, leaving with everything."""
