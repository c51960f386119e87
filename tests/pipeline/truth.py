"""What an answer promised, held against what came of it."""

from collections.abc import Sequence
from http import HTTPStatus

from tests.pipeline.shop import Shop
from tests.pipeline.till import Sold, Till, assert_in_time, by_status

HONEST = {HTTPStatus.CREATED, HTTPStatus.ACCEPTED, HTTPStatus.SERVICE_UNAVAILABLE}


def assert_true_answers(shop: Shop, till: Till, sold: Sequence[Sold]) -> None:
    """At rest: 201 is written, 503 is not and its stock is back, 202 is written or provably nowhere; all in time.

    Every cart was one unit of one product.
    """
    assert_in_time(sold)
    answered = by_status(sold)
    assert answered.keys() <= HONEST, answered.keys()
    written = shop.written()
    assert set(written.values()) <= {1}
    promised = set(answered.get(HTTPStatus.CREATED, []))
    refused = set(answered.get(HTTPStatus.SERVICE_UNAVAILABLE, []))
    followed = set(answered.get(HTTPStatus.ACCEPTED, []))
    assert promised <= written.keys()
    assert not refused & written.keys()
    assert written.keys() <= promised | followed
    for key in followed - written.keys():
        assert till.follow(key).status == HTTPStatus.NOT_FOUND
    for one in sold:
        if one.status == HTTPStatus.SERVICE_UNAVAILABLE:
            assert int(one.reply.headers["retry-after"]) > 0
    assert shop.sold() == 1000 * len(written)
    shop.assert_exact()
