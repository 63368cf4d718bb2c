-- Debits can be returned: an order that they paid for is not delivered before this moment.
ALTER TABLE orders ADD COLUMN deliver_after timestamptz;
ALTER TABLE payments ADD COLUMN hold_seconds bigint NOT NULL DEFAULT 0 CHECK (hold_seconds >= 0);
-- What the customer has still to do, as the provider last said: a bank transfer, and where to, say.
ALTER TABLE payments ADD COLUMN next_action jsonb;

-- A key that the provider answers with an error of its own for ever is followed by one derived from it.
ALTER TABLE operations ADD COLUMN attempt integer NOT NULL DEFAULT 1 CHECK (attempt >= 1);
ALTER TABLE operations ADD COLUMN asked_at timestamptz NOT NULL DEFAULT clock_timestamp();
ALTER TABLE operations ADD COLUMN stuck boolean NOT NULL DEFAULT false;
-- `return`: money that a transfer brought and the payment did not take goes back; it was never in our balance.
ALTER TABLE operations DROP CONSTRAINT operations_kind_check;
ALTER TABLE operations ADD CONSTRAINT operations_kind_check
    CHECK (kind IN ('start', 'capture', 'cancel', 'refund', 'return'));
DROP INDEX operations_once;
CREATE UNIQUE INDEX operations_once ON operations (payment_id, kind)
    WHERE kind NOT IN ('refund', 'return') AND state <> 'declined';

-- What a provider thinks of a payment before anybody disputes it: an issuer's warning, a review of its own.
CREATE TABLE payment_flags (
    provider text NOT NULL,
    reference text NOT NULL,
    payment_id text NOT NULL REFERENCES payments,
    kind text NOT NULL CHECK (kind IN ('warning', 'review')),
    status text NOT NULL CHECK (status IN ('open', 'approved', 'closed')),
    detail text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (provider, reference)
);
CREATE INDEX payment_flags_payment ON payment_flags (payment_id);

-- A second payment that a provider opened for one of ours: let go, or given back when it took money.
CREATE TABLE strays (
    id text PRIMARY KEY,
    provider text NOT NULL,
    reference text NOT NULL,
    payment_id text NOT NULL REFERENCES payments,
    asset text NOT NULL,
    units units NOT NULL CHECK (units >= 0),
    state text NOT NULL CHECK (state IN ('found', 'canceled', 'refunded', 'refused')),
    refund_reference text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (provider, reference)
);

-- Lines of our balance at a provider that are of no payment: payouts to our bank, fees, reserves.
CREATE TABLE statement_lines (
    provider text NOT NULL,
    reference text NOT NULL,
    kind text NOT NULL,
    asset text NOT NULL,
    units units NOT NULL,
    fee_units units NOT NULL,
    at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (provider, reference)
);
CREATE INDEX statement_lines_newest ON statement_lines (provider, at DESC);
CREATE TRIGGER statement_lines_append_only BEFORE UPDATE OR DELETE ON statement_lines
    FOR EACH ROW EXECUTE FUNCTION append_only();
