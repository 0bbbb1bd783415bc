"""Some hundred invented schools, in the columns of the national register and the proportions of a London borough.

URNs begin at 900001, beyond the register's own; authority codes 990 and 991 belong to nobody.
"""

from __future__ import annotations

import csv
import io
import random

AUTHORITY = ("990", "Wexcombe")
NEIGHBOUR = ("991", "Marlingford")
COLUMNS = (
    "URN",
    "LA (code)",
    "LA (name)",
    "EstablishmentNumber",
    "EstablishmentName",
    "TypeOfEstablishment (code)",
    "TypeOfEstablishment (name)",
    "EstablishmentTypeGroup (code)",
    "EstablishmentTypeGroup (name)",
    "EstablishmentStatus (code)",
    "EstablishmentStatus (name)",
    "OpenDate",
    "CloseDate",
    "PhaseOfEducation (code)",
    "PhaseOfEducation (name)",
    "NumberOfPupils",
    "Trusts (name)",
    "UKPRN",
    "LastChangedDate",
    "Street",
    "Locality",
    "Address3",
    "Town",
    "County (name)",
    "Postcode",
    "Easting",
    "Northing",
)

_MAINTAINED, _ACADEMIES, _FREE = (
    ("4", "Local authority maintained schools"),
    ("10", "Academies"),
    ("11", "Free Schools"),
)
_SPECIAL, _INDEPENDENT, _COLLEGES = ("5", "Special schools"), ("3", "Independent schools"), ("1", "Colleges")
_NURSERY, _PRIMARY, _SECONDARY, _NONE = (
    ("1", "Nursery"),
    ("2", "Primary"),
    ("4", "Secondary"),
    ("0", "Not applicable"),
)
TRUSTS = ("Harrow Down Learning Trust", "The Kestrel Academies Trust", "Lantern Bridge Schools Trust")

# fmt: off
_PLACES = (
    "Abbot's Green", "Alder Lane", "Ashcroft", "Barley Hill", "Beacon Road", "Beech Walk",
    "Birchfield", "Bramble Lane", "Bridge Street", "Broadmead", "Brook Lane", "Castle Rise",
    "Cherry Orchard", "Chestnut Avenue", "Church Lane", "Clover Field", "Coppice Lane", "Cornmill",
    "Cranbourne", "Dairy Lane", "Deer Park", "Eastgate", "Elm Grove", "Fairmead", "Farthing Lane",
    "Fern Bank", "Field Lane", "Foxglove", "Furlong", "Garth Hill", "Glebe", "Granary Row",
    "Greenacre", "Hawthorn", "Hazel Wood", "Heath End", "Heron Quay", "High Elms", "Hollow Lane",
    "Holly Bank", "Ivy House", "Juniper", "Kiln Lane", "Kingfisher", "Larch Road", "Lime Tree",
    "Linden Park", "Long Acre", "Manor Fields", "Maple Drive", "Market Street", "Meadowside",
    "Mill Pond", "Millrace", "Moorhen", "Nettlecombe", "Newbridge", "North Common", "Oak Bank",
    "Old Orchard", "Orchard Way", "Osier Bank", "Otter Brook", "Paddock Hill", "Park View",
    "Pear Tree", "Pine Ridge", "Plover Lane", "Pond Lane", "Poplar Road", "Primrose Hill", "Priory",
    "Quarry Bank", "Queensmead", "Rectory Lane", "Ridgeway", "Riverside", "Robin Hill", "Rookwood",
    "Rowan", "Rushmere", "Sandpiper", "Saxon Way", "Shepherd's Lane", "Silver Birch", "Skylark",
    "Southfield", "Spring Lane", "Stonebridge", "Swallow Road", "Sycamore", "Thistledown",
    "Valley Road", "Violet Bank", "Walnut Tree", "Waterside", "Wellspring", "West Common",
    "Wheatfield", "Whitethorn", "Willow Walk", "Windmill Hill", "Woodlands", "Wren Park",
    "Yew Tree",
)
# fmt: on

_KINDS = (
    # how many, name, type code and name, group, phase, pupils from and to
    (34, "{} Primary School", ("1", "Community school"), _MAINTAINED, _PRIMARY, 180, 640),
    (8, "St {}'s Catholic Primary School", ("2", "Voluntary aided school"), _MAINTAINED, _PRIMARY, 190, 430),
    (
        3,
        "{} Church of England Primary School",
        ("3", "Voluntary controlled school"),
        _MAINTAINED,
        _PRIMARY,
        150,
        420,
    ),
    (4, "{} Nursery School", ("15", "Local authority nursery school"), _MAINTAINED, _NURSERY, 80, 170),
    (2, "The {} Centre", ("14", "Pupil referral unit"), _MAINTAINED, _NONE, 20, 90),
    (4, "{} School", ("7", "Community special school"), _SPECIAL, _NONE, 60, 210),
    (20, "{} Primary Academy", ("34", "Academy converter"), _ACADEMIES, _PRIMARY, 200, 640),
    (4, "{} Academy", ("28", "Academy sponsor led"), _ACADEMIES, _SECONDARY, 780, 1490),
    (7, "{} School", ("34", "Academy converter"), _ACADEMIES, _SECONDARY, 850, 1610),
    (2, "{} Academy", ("44", "Academy special converter"), _ACADEMIES, _NONE, 70, 160),
    (4, "{} Free School", ("35", "Free schools"), _FREE, _SECONDARY, 420, 1080),
    (7, "{} Preparatory School", ("11", "Other independent school"), _INDEPENDENT, _NONE, 90, 520),
    (1, "{} Sixth Form College", ("31", "Sixth form centres"), _COLLEGES, ("6", "16 plus"), 900, 1400),
)
_SAINTS = ("Aidan", "Bede", "Cuthbert", "Edith", "Hilda", "Monica", "Oswald", "Winifred")


def register_file() -> bytes:
    """Return the invented register, the same every time: cp1252, as the national one comes."""
    chance = random.Random(2026)  # noqa: S311 (an invented register needs no secrecy)
    places = list(_PLACES)
    chance.shuffle(places)
    rows = []
    urn, number = 900001, 2001
    for count, pattern, kind, group, phase, fewest, most in _KINDS:
        for index in range(count):
            place = _SAINTS[index] if pattern.startswith("St ") else places.pop()
            trust = chance.choice(TRUSTS) if kind[1].startswith("Academy") and chance.randrange(4) < 3 else ""
            rows.append(
                _row(
                    urn,
                    AUTHORITY,
                    number,
                    pattern.format(place),
                    kind,
                    group,
                    phase,
                    chance.randint(fewest, most),
                    trust,
                    place,
                    chance,
                )
            )
            urn, number = urn + 1, number + 1
    for place in places[:2]:
        rows.append(
            _row(
                urn,
                NEIGHBOUR,
                number,
                f"{place} Primary School",
                ("1", "Community school"),
                _MAINTAINED,
                _PRIMARY,
                chance.randint(200, 420),
                "",
                place,
                chance,
            )
        )
        urn, number = urn + 1, number + 1
    closed = _row(
        urn,
        AUTHORITY,
        number,
        "Old Wharf Primary School",
        ("1", "Community school"),
        _MAINTAINED,
        _PRIMARY,
        0,
        "",
        "Old Wharf",
        chance,
    )
    closed.update(
        {
            "EstablishmentStatus (code)": "2",
            "EstablishmentStatus (name)": "Closed",
            "CloseDate": "31-08-2019",
            "NumberOfPupils": "",
        }
    )
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows([*rows, closed])
    return out.getvalue().encode("cp1252")


def _row(
    urn: int,
    authority: tuple[str, str],
    number: int,
    name: str,
    kind: tuple[str, str],
    group: tuple[str, str],
    phase: tuple[str, str],
    pupils: int,
    trust: str,
    place: str,
    chance: random.Random,
) -> dict[str, str]:
    letters = "ABDEFGHJLNPQRSTUWXYZ"
    return {
        "URN": str(urn),
        "LA (code)": authority[0],
        "LA (name)": authority[1],
        "EstablishmentNumber": str(number),
        "EstablishmentName": name,
        "TypeOfEstablishment (code)": kind[0],
        "TypeOfEstablishment (name)": kind[1],
        "EstablishmentTypeGroup (code)": group[0],
        "EstablishmentTypeGroup (name)": group[1],
        "EstablishmentStatus (code)": "1",
        "EstablishmentStatus (name)": "Open",
        "OpenDate": "01-09-2012" if trust else "",
        "CloseDate": "",
        "PhaseOfEducation (code)": phase[0],
        "PhaseOfEducation (name)": phase[1],
        "NumberOfPupils": str(pupils),
        "Trusts (name)": trust,
        "UKPRN": "",
        "LastChangedDate": "14-09-2024",
        "Street": f"{chance.randint(1, 180)} {place}" if not place.istitle() else f"{place} Road",
        "Locality": "",
        "Address3": "",
        "Town": authority[1],
        "County (name)": "",
        "Postcode": f"WX{chance.randint(1, 9)} {chance.randint(1, 9)}{chance.choice(letters)}{chance.choice(letters)}",
        "Easting": str(chance.randint(540000, 549000)),
        "Northing": str(chance.randint(172000, 180000)),
    }
