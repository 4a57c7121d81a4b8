-- Compares the taxes of a day that is over with what was expected, if one is left; which day, and how many alerts it made.
SELECT checked, raised FROM check_taxes()
