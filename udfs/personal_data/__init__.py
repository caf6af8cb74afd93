"""Personal data in a text: what it is and where; one implementation for the night's tables and for SQL."""
