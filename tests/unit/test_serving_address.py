"""Where the SQL server may listen, and what it asks for before it does."""

import pytest

from pipeline.errors import ConfigError
from pipeline.serving.binding import Address, check_address, check_connect_address

LDAP = {
    "spark.hadoop.hive.server2.authentication": "LDAP",
    "spark.hadoop.hive.server2.authentication.ldap.url": "ldap://directory.example.org",
}


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_loopback_needs_no_authentication(host: str) -> None:
    assert check_address(Address(host, 10000), {}) == []
    check_connect_address(Address(host, 15002), {})


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "sql.example.org", "localhost.example.org"])
def test_elsewhere_is_refused_without(host: str) -> None:
    with pytest.raises(ConfigError, match=r"hive.server2.authentication is NONE.*LDAP, KERBEROS, CUSTOM"):
        check_address(Address(host, 10000), {})
    with pytest.raises(ConfigError, match=r"set spark\.connect\.authenticate\.token"):
        check_connect_address(Address(host, 15002), LDAP)


def test_passwords_on_the_network_in_plain_are_warned_of() -> None:
    address = Address("10.0.0.7", 10000)
    assert len(check_address(address, LDAP)) == 1
    assert check_address(address, {**LDAP, "spark.hadoop.hive.server2.use.SSL": "true"}) == []
    assert check_address(Address("127.0.0.1", 10000), LDAP) == []


@pytest.mark.parametrize(
    ("kind", "missing"),
    [
        ("LDAP", "ldap.url"),
        ("kerberos", "kerberos.principal, spark.hadoop.hive.server2.authentication.kerberos.keytab"),
        ("CUSTOM", "custom.authentication.class"),
        ("PAM", "PAM is not known; give one of LDAP, KERBEROS, CUSTOM, NONE, NOSASL"),
    ],
)
def test_a_kind_that_is_unknown_or_lacks_a_key_is_refused(kind: str, missing: str) -> None:
    with pytest.raises(ConfigError, match=missing):
        check_address(Address("127.0.0.1", 10000), {"spark.hive.server2.authentication": kind})
