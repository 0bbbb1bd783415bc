"""What is true of any business: money, minutes, quantities, periods, the clock, references and errors.

Standard library only. Nothing here knows of schools, databases or pages.
"""
