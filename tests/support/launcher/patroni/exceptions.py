"""A stand-in for Patroni's exceptions."""


class DCSError(Exception):
    pass
