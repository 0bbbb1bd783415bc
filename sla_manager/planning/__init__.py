"""How the year could be: what officers have time for, what may still be sold, and decisions beyond it."""
