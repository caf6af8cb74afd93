"""Where a server may listen: on loopback freely, elsewhere only where clients prove who they are."""

import ipaddress
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.errors import ConfigError

_PREFIX = "spark.hadoop."
_AUTHENTICATION = "hive.server2.authentication"
_NEEDS = {
    "LDAP": ("hive.server2.authentication.ldap.url",),
    "KERBEROS": ("hive.server2.authentication.kerberos.principal", "hive.server2.authentication.kerberos.keytab"),
    "CUSTOM": ("hive.server2.custom.authentication.class",),
}
"""Kinds of authentication that Spark's server has, with the keys each needs."""
_OPEN = ("NONE", "NOSASL")
_TOKEN = "spark.connect.authenticate.token"


@dataclass(frozen=True)
class Address:
    """Where to listen. `host` is a name or an address of this machine."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it; any name but `localhost` counts as reachable."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def check_address(address: Address, properties: Mapping[str, str]) -> list[str]:
    """Check the address of the JDBC server against the Spark properties; return warnings.

    Raises:
        ConfigError: it is reachable from elsewhere and clients need not prove who they are, or the kind of authentication is
            unknown or lacks a key.
    """
    kind = _value(properties, _AUTHENTICATION, "NONE").upper()
    if kind not in (*_NEEDS, *_OPEN):
        raise ConfigError(
            f"{_PREFIX}{_AUTHENTICATION}: {kind} is not known; give one of {', '.join((*_NEEDS, *_OPEN))}"
        )
    if kind in _OPEN and not address.is_loopback:
        raise ConfigError(
            f"--host {address.host}: other machines reach it, and {_PREFIX}{_AUTHENTICATION} is {kind}: anybody could ask and "
            f"change what this process can; set it to {', '.join(_NEEDS)} under `spark:` of --functions-config with the keys "
            "it needs (docs/bi.md), or leave --host out"
        )
    missing = [f"{_PREFIX}{key}" for key in _NEEDS.get(kind, ()) if not _value(properties, key)]
    if missing:
        raise ConfigError(f"{', '.join(missing)}: {_PREFIX}{_AUTHENTICATION} {kind} needs it; set it beside it")
    encrypted = _value(properties, "hive.server2.use.SSL", "false").lower() == "true"
    if address.is_loopback or encrypted:
        return []
    return [
        f"--host {address.host} without {_PREFIX}hive.server2.use.SSL: passwords and answers go over the network unencrypted"
    ]


def check_connect_address(address: Address, properties: Mapping[str, str]) -> None:
    """Check the address of the Spark Connect server.

    Raises:
        ConfigError: it is reachable from elsewhere and has no token.
    """
    if not address.is_loopback and not properties.get(_TOKEN):
        raise ConfigError(
            f"--host {address.host} with --connect-port: other machines reach it, and whoever does runs code here; set {_TOKEN} "
            "under `spark:` of --functions-config, or leave out one of the two"
        )


def listening_properties(address: Address, connect: Address | None) -> dict[str, str]:
    """Return the Spark properties that make the servers listen there."""
    hive = "spark.hadoop.hive.server2.thrift"
    found = {
        f"{hive}.bind.host": address.host,
        f"{hive}.port": str(address.port),
        f"{hive}.http.port": str(address.port),
    }
    if connect is not None:
        found |= {
            "spark.connect.grpc.binding.address": connect.host,
            "spark.connect.grpc.binding.port": str(connect.port),
        }
    return found


def check_free(address: Address, option: str) -> None:
    """Check that nobody listens at an address yet.

    Args:
        option: of the command line, which the message names.

    Raises:
        ConfigError: it cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.host, address.port))
        except OSError as error:
            raise ConfigError(
                f"{address.host}:{address.port}: cannot be listened on: {error.strerror}; choose another {option} or --host"
            ) from None


def _value(properties: Mapping[str, str], key: str, default: str = "") -> str:
    """A key of Hive's as Spark properties name it: `spark.hadoop.hive…` or `spark.hive…`."""
    return properties.get(_PREFIX + key) or properties.get(f"spark.{key}") or default
