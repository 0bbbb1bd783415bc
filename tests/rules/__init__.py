"""The pure rules: every worked number by name, and properties that hold for any figures."""
