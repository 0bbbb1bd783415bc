"""The database: column types, the transaction, the audit trail, the outbox, number series."""
