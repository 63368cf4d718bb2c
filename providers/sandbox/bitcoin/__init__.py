"""A Bitcoin node of the sandbox: a regtest chain under Core's own consensus code, behind Core's JSON-RPC.

Begin with node.py (what it can do), then view.py (what it knows) and methods.py (what it answers).
"""
