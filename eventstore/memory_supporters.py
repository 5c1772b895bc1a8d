"""Who stood as supporter in which case, in memory: current and former, of open and closed cases."""

from typing import Literal, NamedTuple

from eventstore.world import SupporterKeys

Detail = Literal["tax_id", "phone", "address"]
_DETAILS: tuple[Detail, ...] = ("tax_id", "phone", "address")


class _Stood(NamedTuple):
    filed_number: int
    keys: SupporterKeys


class Supporters:
    """The questions of `read_world` about supporters; "earlier" is by the filing's number, `before`."""

    def __init__(self) -> None:
        self._stood: list[_Stood] = []

    def register(self, filed_number: int, keys: SupporterKeys) -> None:
        """The case filed under that number has this supporter from now on."""
        self._stood.append(_Stood(filed_number, keys))

    def forget(self, filed_number: int) -> None:
        """The case filed under that number was erased."""
        self._stood = [each for each in self._stood if each.filed_number != filed_number]

    def earlier_cases(self, supporter: SupporterKeys | None, before: int) -> int:
        """In how many cases filed earlier this person ever stood."""
        if supporter is None:
            return 0
        return len({each.filed_number for each in self._earlier(before) if each.keys.person == supporter.person})

    def shared_details(self, supporter: SupporterKeys | None, before: int) -> tuple[Detail, ...]:
        """Which details are equal to those of a different person in a case filed earlier."""
        if supporter is None:
            return ()
        others = [each.keys for each in self._earlier(before) if each.keys.person != supporter.person]
        return tuple(
            name
            for name in _DETAILS
            if getattr(supporter, name) is not None
            and any(getattr(other, name) == getattr(supporter, name) for other in others)
        )

    def _earlier(self, before: int) -> list[_Stood]:
        return [each for each in self._stood if each.filed_number < before]
