"""Tests of the signer: its rules, its memory, its key file, its socket, and the program that it is."""
