"""National identity numbers, by `idnumbers` (MIT), which knows each country's form and check digits.

A number whose form gives it away (letters, its own punctuation, eighteen digits) is found wherever its check digits are right.
One that is only digits is found where its name stands before it. The numbers of the United States, of the United Kingdom and
the newer ones of Korea have no check digits: their form alone decides.
"""

import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Any

from udfs.personal_data.categories import NATIONAL_ID, Span

_BEFORE, _AFTER = r"(?<![A-Za-z0-9])", r"(?![A-Za-z0-9])"
_DAY = r"(?:0[1-9]|[12]\d|3[01])"
_MONTH = r"(?:0[1-9]|1[0-2])"
_FORMS = {
    "CHN.ResidentID": rf"\d{{6}}(?:19|20)\d\d{_MONTH}{_DAY}\d{{3}}[\dXx]",
    "ESP.DNI": r"\d{8}-?[A-Za-z]|[XYZxyz]-?\d{7}-?[A-Za-z]",
    "ITA.FiscalCode": r"[A-Za-z]{6}[0-9A-Za-z]{2}[A-Za-z][0-9A-Za-z]{2}[A-Za-z][0-9A-Za-z]{3}[A-Za-z]",
    "FRA.INSEE": r"[12] ?\d\d ?\d\d ?[0-9][0-9ABab] ?\d{3} ?\d{3} ?\d\d",
    "BRA.CPFNumber": r"\d{3}\.\d{3}\.\d{3}-\d\d",
    "CHL.NationalID": r"\d{1,2}\.\d{3}\.\d{3}-[\dKk]",
    "CHE.SocialSecurityNumber": r"756\.\d{4}\.\d{4}\.\d\d",
    "FIN.PersonalIdentityCode": rf"{_DAY}{_MONTH}\d\d[-+A-FU-Y]\d{{3}}[0-9A-Y]",
    "MEX.CURP": r"[A-Z]{4}\d{6}[HMX][A-Z]{5}[0-9A-Z]\d",
    "SGP.NationalID": r"[STFGM]\d{7}[A-Z]",
    "TWN.NationalID": r"[A-Z][12]\d{8}",
    "HKG.NationalID": r"[A-Z]{1,2}\d{6}\([0-9A]\)",
    "IRL.PersonalPublicServiceNumber": r"\d{7}[A-W][ABHW]?",
    "KOR.OldResidentRegistration": rf"\d\d{_MONTH}{_DAY}-[1-4]\d{{6}}",
    "IND.NationalID": r"[2-9]\d{3}[ -]\d{4}[ -]\d{4}(?![ -]\d)",
    "SWE.PersonalIdentityNumber": rf"(?:19|20)?\d\d{_MONTH}{_DAY}[-+]\d{{4}}",
    "BEL.NationalRegistrationNumber": r"\d\d\.\d\d\.\d\d-\d{3}\.\d\d",
    "GBR.NationalInsuranceNumber": r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D]",
    "USA.SocialSecurityNumber": r"(?<![\d-])\d{3}-\d\d-\d{4}(?!-?\d)",
}  # fmt: skip
"""Forms that stand out, by class of the library. Each is of bounded length."""
_ANY_FORM = re.compile(
    _BEFORE + "(?:" + "|".join(f"(?P<{name.replace('.', '_')}>{form})" for name, form in _FORMS.items()) + ")" + _AFTER,
    re.ASCII,
)

_NAMES = {
    "pesel": "POL.PESEL", "bsn|burgerservicenummer|sofinummer": "NLD.BSN", "cpf": "BRA.CPFNumber",
    "personnummer": "SWE.PersonalIdentityNumber NOR.NationalID", "f[øo]dselsnummer": "NOR.NationalID",
    "aadhaar|aadhar|आधार": "IND.NationalID", "steuer-?id|idnr|identifikationsnummer": "DEU.TaxID",
    "kimlik|tckn": "TUR.NationalID", "マイナンバー|my number": "JPN.MyNumber",
    "sin|social insurance": "CAN.SocialInsuranceNumber",
    "rijksregister(?:nummer)?|registre national": "BEL.NationalRegistrationNumber", "cnp": "ROU.PersonalNumericalCode",
    "egn|егн": "BGR.UniformCivilNumber", "oib": "HRV.PersonalID", "rodné číslo": "CZE.BirthNumber SVK.BirthNumber",
    "isikukood": "EST.PersonalID", "asmens kodas": "LTU.PersonalCode", "jmbg": "SRB.UniqueMasterCitizenNumber",
    "nif|contribuinte": "PRT.TaxIDNumber", "tfn|tax file": "AUS.TaxFileNumber", "cédula": "COL.UniquePersonalID ECU.NationalID",
    "teudat zehut|תעודת זהות": "ISR.NationalID", "social security|ssn": "USA.SocialSecurityNumber",
    "national id|identity|id card|id": "ZAF.NationalID THA.NationalID LKA.NationalID ECU.NationalID KWT.CivilNumber",
}  # fmt: skip
"""What a number that is only digits is called, and the classes that check it."""
_NAMED = re.compile(
    r"(?<!\w)(?:" + "|".join(f"(?P<n{i}>{name})" for i, name in enumerate(_NAMES)) + r")(?!\w)"
    r"(?:\W{0,3}(?:number|no|nr|num|número|numero|is|es|é|ist|är|er|jest|to|card))?(?:\W{0,3}(?:is|es|é|ist|är|er|jest|to))?"
    r"(?:\W{1,3}|是)(?P<number>\d(?:[ ./-]?\d){8,14})(?![ ./-]?\d|\w)",
    re.IGNORECASE,
)
_OTHER_BEFORE = re.compile(
    r"(?:licen[cs]e|passport|order|invoice|tracking|serial|part|model|plate|pedido|factura|订单|单号)\W{0,3}(?:\w{1,8}\W{1,3}){0,2}\Z",
    re.IGNORECASE,
)
_NO_CHECK_DIGITS = ("USA.SocialSecurityNumber",)


_SIX_DIGITS = re.compile(r"\d(?:\D{0,3}\d){5}")
"""What every form has; searched first because nearly every text has none."""
_WITHIN_BEFORE, _WITHIN_AFTER = 64, 64
_CLASSES = tuple(_NAMES.values())


def national_ids(text: str) -> Iterator[Span]:
    """Find national identity numbers; see the module's text for which."""
    for start, end in _places(text):
        for match in _ANY_FORM.finditer(text, start, end):
            is_other = _OTHER_BEFORE.search(text, max(0, match.start() - 40), match.start())
            if not is_other and _is_valid(str(match.lastgroup).replace("_", "."), match.group()):
                yield Span(*match.span(), NATIONAL_ID)
        for match in _NAMED.finditer(text, start, end):
            chosen = next(names for i, names in enumerate(_CLASSES) if match.group(f"n{i}") is not None)
            if any(_is_valid(name, match.group("number")) for name in chosen.split()):
                yield Span(*match.span("number"), NATIONAL_ID)


def _places(text: str) -> Iterator[tuple[int, int]]:
    """Yield the parts of a text to search: around six digits near each other, joined where they touch."""
    start = end = 0
    for match in _SIX_DIGITS.finditer(text):
        if match.start() - _WITHIN_BEFORE > end:
            if end:
                yield start, end
            start = max(0, match.start() - _WITHIN_BEFORE)
        end = min(len(text), match.end() + _WITHIN_AFTER)
    if end:
        yield start, end


def _is_valid(name: str, found: str) -> bool:
    """Return whether the library accepts a number as printed or without its punctuation."""
    compact = re.sub(r"[ .()/-]", "", found).upper()
    if name in _NO_CHECK_DIGITS:
        return _is_issued_in_usa(compact)
    if name == "ESP.DNI" and len(set(compact[1:-1])) < 3:  # 11110000B is a binary number
        return False
    if name == "ESP.DNI" and compact[0] in "XYZ":  # NIE: the letter stands for 0, 1 or 2
        compact = str("XYZ".index(compact[0])) + compact[1:]
    if name == "KOR.OldResidentRegistration":  # since October 2020 the last digits are drawn by lot
        return True
    validator = _validator(name)
    return any(validator.validate(form) for form in dict.fromkeys((compact, found.upper(), found)))


def _is_issued_in_usa(digits: str) -> bool:
    """Return whether the parts are ones that exist; 9.. are taxpayer numbers (ITIN) of the same form."""
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    return len(digits) == 9 and area not in ("000", "666") and group != "00" and serial != "0000"


@cache
def _validator(name: str) -> Any:
    country, number = name.split(".")
    return getattr(import_module(f"idnumbers.nationalid.{country}"), number)
