from enum import StrEnum


class CustomerClass(StrEnum):
    OWN_MAINTAINED = "own_maintained"
    VOLUNTARY_AIDED = "voluntary_aided"
    ACADEMY = "academy"
    INDEPENDENT = "independent"
    OUT_OF_AREA_MAINTAINED = "out_of_area_maintained"
    OTHER = "other"
