"""When a screen is looked at."""

from __future__ import annotations

from itertools import pairwise

from politerm.engine.pace import LAST, LOOK_EVERY, LULL, SELDOM, Pace, longest_pause


def looks(moves: list[float], until: float, *, cost: float = 0.001, wanted: bool = False) -> list[float]:
    """When a screen that moves at these times is looked at; `wanted`: also though it does not move any more."""
    pace, now, told, pending = Pace(), 0.0, [], wanted
    moves = sorted(moves)
    while now < until:
        while moves and moves[0] <= now:
            pace.moved(moves.pop(0))
            pending = True
        if pending and pace.left(now, urgent=False) == 0:
            told.append(now)
            pending = wanted
            pace.looked(now, now + cost)
            now += cost
        now = round(now + 0.001, 6)
    return told


def test_what_begins_to_move_is_looked_at_at_once() -> None:
    assert looks([3.0], 5) == [3.0]


def test_a_spinner_is_looked_at_twice_a_second() -> None:
    told = looks([n / 10 for n in range(100)], 10)
    late = [at for at in told if at > 3]
    assert len(late) <= 7 / SELDOM + 1
    assert max(b - a for a, b in pairwise(told)) <= SELDOM + 0.11


def test_after_the_last_motion_it_is_looked_at_once_more() -> None:
    moves = [n / 50 for n in range(250)]
    last = looks(moves, 8)[-1]
    assert 0 <= last - moves[-1] <= LULL + 0.01


def test_a_new_beginning_is_quick_again() -> None:
    told = looks([n / 50 for n in range(250)] + [20.0, 20.02, 20.04, 20.06, 20.08], 22)
    assert 20.0 in told
    assert next(at for at in told if at > 20) <= 20.0 + LOOK_EVERY * 2


def test_looks_that_cost_much_take_a_small_part_of_the_time() -> None:
    told = looks([n / 100 for n in range(1000)], 10, cost=0.02)
    assert 0.02 * len(told) <= 0.7
    assert max(b - a for a, b in pairwise(told)) <= LAST + 0.1


def test_something_waited_for_at_rest_is_looked_for_less_and_less() -> None:
    told = looks([0.0], 60, wanted=True)
    assert len(told) < 200
    assert max(b - a for a, b in pairwise(told)) <= LAST + 0.1


def test_what_is_urgent_does_not_wait_unless_a_look_costs_much() -> None:
    pace = Pace()
    pace.moved(1.0)
    pace.looked(1.0, 1.001)
    assert pace.left(1.01, urgent=True) == 0
    pace.looked(1.1, 1.2)
    assert pace.left(1.21, urgent=True) > 0.2


def test_a_record_is_looked_into_less_often_in_a_long_silence() -> None:
    pauses = [longest_pause(quiet, busy=True) for quiet in (0.0, 1.0, 5.0, 3600.0)]
    assert pauses == sorted(pauses)
    assert pauses[0] <= 0.05
    assert pauses[-1] <= 1.0
    assert longest_pause(0.0, busy=False) > 1.0
