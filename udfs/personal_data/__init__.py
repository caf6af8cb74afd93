"""Personal data in a text: what it is and where; one implementation for the night's tables and for SQL.

What has a form is found, such as numbers and mail addresses. Names of people and postal addresses are not.
"""
