"""The published tables and the AI functions for clients over the wire: JDBC, ODBC, DBAPI, Spark Connect."""

from pipeline.serving.binding import Address, check_address, check_connect_address
from pipeline.serving.server import SqlServer, open_server

__all__ = ["Address", "SqlServer", "check_address", "check_connect_address", "open_server"]
