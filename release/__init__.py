"""How a release is made: `make release`. Nothing of this is shipped; nothing here signs or uploads."""
