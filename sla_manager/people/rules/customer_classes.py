"""Customer classes: what kind of payer a school is to this authority, from its row in the national register.

Source: the register's lists of establishment types and type groups (Get Information about Schools).
"""

from __future__ import annotations

from sla_manager.kernel.titles import Titled


class CustomerClass(Titled):
    """What kind of payer a customer is; prices, route and VAT hang on it."""

    OWN_MAINTAINED = "own_maintained", "Maintained school of this authority"
    VOLUNTARY_AIDED = "voluntary_aided", "Voluntary aided school of this authority"
    ACADEMY = "academy", "Academy"
    INDEPENDENT = "independent", "Independent school"
    OUT_OF_AREA_MAINTAINED = "out_of_area_maintained", "Maintained school of another authority"
    OTHER = "other", "Other customer"

    @property
    def described(self) -> str:
        """The class with its article, for the middle of a sentence.

        >>> CustomerClass.ACADEMY.described
        'an academy'
        """
        title = self.title[0].lower() + self.title[1:]
        return f"{'an' if title[0] in 'aeio' else 'a'} {title}"

    @property
    def is_own(self) -> bool:
        """Whether the school is maintained by this authority and spends its delegated budget."""
        return self in (CustomerClass.OWN_MAINTAINED, CustomerClass.VOLUNTARY_AIDED)


_VOLUNTARY_AIDED = "2"

_MAINTAINED = frozenset(
    {
        "1",  # community
        "3",  # voluntary controlled
        "5",  # foundation
        "7",  # community special
        "12",  # foundation special
        "14",  # pupil referral unit
        "15",  # local authority nursery
    }
)

_ACADEMY = frozenset(
    {
        "28",  # academy sponsor led
        "33",  # academy special sponsor led
        "34",  # academy converter
        "35",  # free school
        "36",  # free school, special
        "38",  # free school, alternative provision
        "39",  # free school, 16 to 19
        "40",  # university technical college
        "41",  # studio school
        "42",  # academy alternative provision converter
        "43",  # academy alternative provision sponsor led
        "44",  # academy special converter
        "45",  # academy 16 to 19 converter
        "46",  # academy 16 to 19 sponsor led
        "57",  # academy secure 16 to 19
    }
)

_INDEPENDENT = frozenset(
    {
        "6",  # city technology college: an independent school in law, funded by agreement
        "8",  # non-maintained special: see derive_customer_class
        "10",  # other independent special
        "11",  # other independent
    }
)

_OTHER = frozenset(
    {
        "18",  # further education
        "24",  # secure unit
        "25",  # offshore school
        "26",  # service children's education
        "27",  # miscellaneous
        "29",  # higher education institution
        "30",  # Welsh establishment
        "31",  # sixth form centre
        "32",  # special post-16 institution
        "37",  # British school overseas
        "49",  # online provider
        "56",  # institution funded by another government department
    }
)

_GROUP_INDEPENDENT, _GROUP_MAINTAINED, _GROUP_ACADEMIES, _GROUP_FREE_SCHOOLS = "3", "4", "10", "11"


def _code(text: str) -> str:
    """Return a register code without the noughts that some extracts put before it."""
    return text.strip().lstrip("0")


def derive_customer_class(
    type_code: str, type_group_code: str, la_code: str, provider_la_code: str
) -> CustomerClass:
    """Return the class that the register's type, type group and authority imply.

    A non-maintained special school is `independent`: no authority maintains it, a charitable trust runs it
    (Education Act 1996 s.342), so it is a separate legal person that buys with money of its own. A school of
    a type that the register has added since is classed by its type group.

    >>> derive_customer_class("01", "4", "203", "203").value
    'own_maintained'
    >>> derive_customer_class("1", "4", "893", "203").value
    'out_of_area_maintained'
    >>> derive_customer_class("8", "5", "203", "203").value
    'independent'
    """
    kind, group = _code(type_code), _code(type_group_code)
    if kind in _OTHER:
        return CustomerClass.OTHER
    if kind in _ACADEMY:
        return CustomerClass.ACADEMY
    if kind in _INDEPENDENT:
        return CustomerClass.INDEPENDENT
    known = kind in _MAINTAINED or kind == _VOLUNTARY_AIDED
    if known or group == _GROUP_MAINTAINED:
        own = bool(_code(la_code)) and _code(la_code) == _code(provider_la_code)
        if not own:
            return CustomerClass.OUT_OF_AREA_MAINTAINED
        return CustomerClass.VOLUNTARY_AIDED if kind == _VOLUNTARY_AIDED else CustomerClass.OWN_MAINTAINED
    if group in (_GROUP_ACADEMIES, _GROUP_FREE_SCHOOLS):
        return CustomerClass.ACADEMY
    return CustomerClass.INDEPENDENT if group == _GROUP_INDEPENDENT else CustomerClass.OTHER
