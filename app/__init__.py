"""Rampwright's own code, in floors: each knows the floors below it, and nobody beside it.

    main  worker  cli  dev                the programs: they know everyone, by name
    wiring                                settings become a database, rails, prices
    api | widget | webhooks | providers   the doors and the rails, strangers to each other
    services                              what we do: verbs on orders, payments, refunds, sends
    schemas | db                          what the public sees | the facts
    ports                                 what we ask of the outside
    domain                                the rules: plain Python, knows nobody

Rules are plain Python, facts are rows, the outside is behind ports, time passes in jobs. Three files to read first:
`domain/order.py`, the tables that say how an order may move; `domain/bookkeeping.py`, what each move books; and
`services/orders.py`, whose `advance` writes a move and everything that follows from it in one transaction.
"""
