"""The outside: printing, the archive, mail, calendars. A gateway knows no room and no database."""
