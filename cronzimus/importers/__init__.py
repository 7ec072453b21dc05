"""What others scheduled, read and turned into job documents; nothing of it is ever executed."""
