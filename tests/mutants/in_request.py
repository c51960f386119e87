"""Rules of the request side and of the publisher."""

from tests.mutants.mutant import of

PUBLISHER = "ventas/publisher.py"
GATHERING = "ventas/gathering.py"
CHECKOUT = "ventas/checkout.py"
LINK = ("tests/ventas/test_publisher.py",)
GATHERED = ("tests/ventas/test_gathering.py",)

MUTANTS = [
    *of(
        PUBLISHER,
        ("a nack is no confirm", "self._said.nacked = True", "self._said.acked = True", LINK),
        ("what comes back was not taken", " and not self._said.returned", "", LINK),
        ("mandatory: unroutable comes back", "mandatory=True", "mandatory=False", LINK),
        (
            "no confirm in time is unknown",
            "return Outcome.UNKNOWN\n                self._connection",
            "return Outcome.REFUSED\n                self._connection",
            LINK,
        ),
        (
            "a late confirm is of no later message",
            "self.drop()\n                    return Outcome.UNKNOWN",
            "return Outcome.UNKNOWN",
            LINK,
        ),
        (
            "a broken connection is unknown",
            "return Outcome.UNKNOWN\n        if self._said.acked",
            "return Outcome.REFUSED\n        if self._said.acked",
            LINK,
        ),
        (
            "no exchange: it took nothing",
            "took nothing\n            return Outcome.REFUSED",
            "took nothing\n            return Outcome.UNKNOWN",
            LINK,
        ),
        (
            "a socket is never carried over a fork",
            "if self._connection is not None and self._pid != os.getpid():",
            "if False:",
            LINK,
        ),
        (
            "a message is signed",
            "    headers[signatures.HEADER] = signatures.sign(body)\n",
            "",
            ("tests/pipeline/test_forged.py", "tests/pipeline/test_sale.py"),
        ),
    ),
    *of(
        GATHERING,
        (
            "the look comes after the confirm",
            (
                "        outcome = link.send(message, deadline=deadline)\n"
                "        count_publish(outcome=outcome.value, sales=len(batch), seconds=time.monotonic() - started)\n"
                "        tiendas = {waiting.tienda_id for waiting in batch}\n"
                "        epochs = self._fence(tiendas) if outcome is Outcome.CONFIRMED else {}\n"
            ),
            (
                "        epochs = self._fence({waiting.tienda_id for waiting in batch})\n"
                "        outcome = link.send(message, deadline=deadline)\n"
            ),
            GATHERED,
        ),
        (
            "who waited in vain knows nothing",
            "        return Published(Outcome.UNKNOWN)",
            "        return Published(Outcome.REFUSED)",
            GATHERED,
        ),
        ("what waits is bounded", "if len(self._queue) >= self._most_waiting:", "if False:", GATHERED),
        ("too late to hear is not sent", "if waiting.deadline < soonest:", "if False:", GATHERED),
    ),
    *of(
        CHECKOUT,
        (
            "only who made the hold gives it back",
            "if outcome is Outcome.REFUSED and hold.created:",
            "if outcome is Outcome.REFUSED:",
            GATHERED,
        ),
        (
            "what cannot be seen is not armed",
            "    except StockError:\n        return {}",
            "    except StockError:\n        return dict.fromkeys(tiendas, 1)",
            ("tests/pipeline/test_lost_replies.py",),
        ),
        (
            "a release without an answer gave nothing back",
            "    except StockError:\n        return False",
            "    except StockError:\n        return True",
            ("tests/pipeline/test_lost_replies.py",),
        ),
        (
            "a discarded sale is no promise",
            "    raise VentaAnulada\n",
            "    return _to_follow(order)\n",
            ("tests/ventas/test_failed_sales.py",),
        ),
        (
            "an old key is looked up first",
            "if order.client_key and refusals.older_than_answers(order=order):",
            "if False:",
            ("tests/ventas/test_old_keys.py", "tests/pipeline/test_once.py"),
        ),
    ),
    *of(
        "ventas/refusals.py",
        (
            "before a refusal the key is looked up",
            "known = known_sale(order=order, huella=huella) if order.client_key else None",
            "known = None",
            ("tests/ventas/test_no_sql.py", "tests/pipeline/test_once.py"),
        ),
        (
            "a written key with another cart is a conflict",
            "    if venta.huella != huella:\n        raise ClaveReutilizada\n",
            "",
            ("tests/pipeline/test_once.py",),
        ),
    ),
]
