"""Contract suites: what every adapter must do, one suite for each port, to be run against yours.

A suite is a class of tests. Subclass it in a test module, give it the fixture `harness`, and run pytest:

    from providers.contracts.payin import PayinContract

    class TestAcme(PayinContract):
        @pytest.fixture
        async def harness(self): ...

The tests are asynchronous: with pytest-asyncio, `asyncio_mode = "auto"`. A harness holds the adapter under test, and
does at the vendor's sandbox, or at a far side of your own, what customers, banks and broken networks do.
`docs/add-a-rail.md` walks through a whole rail.
"""
