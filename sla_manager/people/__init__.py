"""Who: schools, trusts, customers, persons, roles, officers."""
