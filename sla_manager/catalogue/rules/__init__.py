"""Rules of this room: pure, deciding, without a database."""
