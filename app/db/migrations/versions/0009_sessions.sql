-- Widget sessions: everything that a partner's server has bound, whose browser it was exchanged to, and its order.

CREATE TABLE sessions (
    id text PRIMARY KEY,
    partner_id text NOT NULL REFERENCES partners,
    sequence bigint NOT NULL DEFAULT 1,
    status text NOT NULL DEFAULT 'created' CHECK (status IN ('created', 'opened', 'ordered', 'expired', 'revoked')),
    direction text NOT NULL CHECK (direction IN ('buy', 'sell')),
    source_asset text NOT NULL,
    destination_asset text NOT NULL,
    amount_side text CHECK (amount_side IN ('source', 'destination')),
    amount_units units CHECK (amount_units > 0),
    address text,
    refund_address text,
    payment_method text,
    country text,
    external_account_id text REFERENCES external_accounts,
    external_id text,
    customer jsonb NOT NULL,
    metadata jsonb NOT NULL,
    locale text NOT NULL,
    theme jsonb NOT NULL,
    allowed_origins text[] NOT NULL,
    return_url text,
    token_id text NOT NULL UNIQUE,
    credential_hash bytea UNIQUE CHECK (length(credential_hash) = 32),
    order_id text,
    revoked_reason text CHECK (revoked_reason IN ('partner', 'tampered')),
    request_id text,
    livemode boolean NOT NULL,
    opened_at timestamptz,
    revoked_at timestamptz,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((amount_side IS NULL) = (amount_units IS NULL)),
    CHECK ((credential_hash IS NULL) = (opened_at IS NULL)),
    CHECK ((status = 'revoked') = (revoked_at IS NOT NULL) AND (revoked_at IS NULL) = (revoked_reason IS NULL)),
    CHECK (status NOT IN ('opened', 'ordered') OR opened_at IS NOT NULL),
    CHECK (status <> 'ordered' OR order_id IS NOT NULL)
);
CREATE INDEX sessions_partner ON sessions (partner_id, id);
CREATE INDEX sessions_waiting ON sessions (expires_at) WHERE status IN ('created', 'opened');

-- What was bound stays bound, whoever asks; and a credential, once given, belongs to one browser for ever.
CREATE FUNCTION session_is_bound() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.partner_id, NEW.direction, NEW.source_asset, NEW.destination_asset, NEW.amount_side,
        NEW.amount_units, NEW.address, NEW.refund_address, NEW.payment_method, NEW.country, NEW.external_account_id,
        NEW.external_id, NEW.customer, NEW.metadata, NEW.locale, NEW.theme, NEW.allowed_origins, NEW.return_url,
        NEW.token_id, NEW.livemode, NEW.expires_at, NEW.created_at)
        IS DISTINCT FROM
       (OLD.id, OLD.partner_id, OLD.direction, OLD.source_asset, OLD.destination_asset, OLD.amount_side,
        OLD.amount_units, OLD.address, OLD.refund_address, OLD.payment_method, OLD.country, OLD.external_account_id,
        OLD.external_id, OLD.customer, OLD.metadata, OLD.locale, OLD.theme, OLD.allowed_origins, OLD.return_url,
        OLD.token_id, OLD.livemode, OLD.expires_at, OLD.created_at)
        OR (OLD.credential_hash IS NOT NULL AND NEW.credential_hash IS DISTINCT FROM OLD.credential_hash)
        OR (OLD.status IN ('expired', 'revoked') AND NEW.status <> OLD.status)
    THEN
        RAISE EXCEPTION 'what a session has bound does not change' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sessions_bound BEFORE UPDATE ON sessions FOR EACH ROW EXECUTE FUNCTION session_is_bound();

-- How often something was done in a session since the beginning of its present minute.
CREATE TABLE session_acts (
    session_id text NOT NULL REFERENCES sessions,
    act text NOT NULL,
    since timestamptz NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (session_id, act)
);

ALTER TABLE quotes ADD COLUMN session_id text REFERENCES sessions;
CREATE INDEX quotes_session ON quotes (session_id, id) WHERE session_id IS NOT NULL;
ALTER TABLE orders ADD COLUMN session_id text REFERENCES sessions;
CREATE INDEX orders_session ON orders (session_id, id) WHERE session_id IS NOT NULL;
CREATE INDEX orders_customer ON orders (partner_id, (customer ->> 'reference')) WHERE customer ? 'reference';

-- One order of a session at a time. Another may follow one that ended without money, while the session lives.
-- The session's row is locked first and looked at in a statement of its own: that sees what the lock has waited for.
-- It is no unique index, because late money may wake an order after another has taken its place, and must be booked.
CREATE FUNCTION session_takes_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM sessions WHERE id = NEW.session_id FOR NO KEY UPDATE;
    IF NOT EXISTS (
        SELECT 1 FROM sessions WHERE id = NEW.session_id AND partner_id = NEW.partner_id
            AND status IN ('opened', 'ordered') AND expires_at > clock_timestamp()
    ) OR NOT EXISTS (SELECT 1 FROM quotes WHERE id = NEW.quote_id AND session_id = NEW.session_id) THEN
        RAISE EXCEPTION 'session % takes no orders', NEW.session_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'orders_session_open';
    END IF;
    IF EXISTS (
        SELECT 1 FROM orders WHERE session_id = NEW.session_id AND state NOT IN ('failed', 'canceled', 'expired')
    ) THEN
        RAISE EXCEPTION 'session % has an order that is alive', NEW.session_id
            USING ERRCODE = 'unique_violation', CONSTRAINT = 'orders_session_live';
    END IF;
    UPDATE sessions SET status = 'ordered', order_id = NEW.id, sequence = sequence + 1, updated_at = now()
    WHERE id = NEW.session_id;
    RETURN NEW;
END $$;
CREATE TRIGGER orders_of_sessions BEFORE INSERT ON orders
    FOR EACH ROW WHEN (NEW.session_id IS NOT NULL) EXECUTE FUNCTION session_takes_order();
