"""A stand-in with what Patroni looks at PostgreSQL by."""

STOP_POLLING_INTERVAL = 1


def polling_loop(timeout, interval=1):
    return timeout, interval
