"""The load of `users` and `dropzone_latency`: a figure is worth what its load is."""

from itertools import pairwise

from bench.load.http_load import turns

INTERVAL = 2.0
CONNECTIONS = 8


def test_users_act_evenly_over_the_interval_and_each_in_every_one() -> None:
    requests = [b"%d" % number for number in range(3 * CONNECTIONS)]
    order = {"connections": CONNECTIONS, "interval": INTERVAL}

    sent = {}
    # All connections are opened before the first one sends.
    for each in list(turns(order, requests, begun=100.0)):
        while (found := each.next()) is not None:
            place, due, request = found
            sent[place] = (due, request)

    assert [request for _, request in map(sent.get, range(len(requests)))] == requests
    times = [sent[place][0] for place in range(len(requests))]
    assert times[0] == 100.0
    assert {round(after - before, 9) for before, after in pairwise(times)} == {
        INTERVAL / CONNECTIONS
    }


def test_without_an_interval_whoever_is_free_takes_the_next_request() -> None:
    first, second = turns({"connections": 2, "interval": None}, [b"a", b"b", b"c"], begun=0.0)
    assert [first.next(), second.next(), first.next(), second.next()] == [
        (0, None, b"a"),
        (1, None, b"b"),
        (2, None, b"c"),
        None,
    ]
