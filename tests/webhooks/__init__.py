"""Tests of both side doors: notifications coming in, events going out."""
