"""The signer: a program of its own, the only one that holds keys, behind a local socket and a policy of its own.

`key_file` keeps the seed, `policy` says what may be signed, `journal` remembers what was, `vault` puts these together,
`wire` is what is said over the socket, `server` and `client` are its two ends. Nothing here reads the database.
"""
