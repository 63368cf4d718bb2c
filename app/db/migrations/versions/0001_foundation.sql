-- The auditor reads as a role of its own, which can do nothing else. Roles belong to the whole server: another
-- database may have made this one, and on a managed server somebody with CREATEROLE may have to.
DO $$ BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'rampwright_auditor') THEN
        BEGIN
            CREATE ROLE rampwright_auditor NOLOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
        END;
    END IF;
    IF NOT pg_has_role(current_user, 'rampwright_auditor', 'MEMBER') THEN
        EXECUTE format('GRANT rampwright_auditor TO %I', current_user);
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE EXCEPTION 'the role rampwright_auditor is missing, or not granted, and % may not do it', current_user
        USING ERRCODE = '42501', HINT = format(
            'Run as an administrator: CREATE ROLE rampwright_auditor NOLOGIN; GRANT rampwright_auditor TO %I;',
            current_user
        );
END $$;
-- Every table of this and of later migrations.
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO rampwright_auditor;

-- Amounts are whole smallest units. numeric(78,0) holds any 256-bit number; the domain refuses NaN, which numeric accepts.
CREATE DOMAIN units AS numeric(78, 0) CHECK (VALUE <> 'NaN'::numeric);

CREATE TABLE partners (
    id text PRIMARY KEY,
    name text NOT NULL,
    event_sequence bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE api_keys (
    id text PRIMARY KEY,
    partner_id text NOT NULL REFERENCES partners,
    hash bytea NOT NULL UNIQUE,
    hint text NOT NULL,
    mode text NOT NULL CHECK (mode IN ('test', 'live')),
    scopes text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz
);

CREATE TABLE idempotency_keys (
    partner_id text NOT NULL REFERENCES partners,
    key text NOT NULL,
    request_hash bytea NOT NULL,
    status integer,
    response bytea,
    resource_id text,
    locked_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (partner_id, key)
);
CREATE INDEX idempotency_keys_created_at ON idempotency_keys (created_at);

CREATE TABLE quotes (
    id text PRIMARY KEY,
    partner_id text NOT NULL REFERENCES partners,
    direction text NOT NULL CHECK (direction IN ('buy', 'sell')),
    amount_side text NOT NULL CHECK (amount_side IN ('source', 'destination')),
    status text NOT NULL CHECK (status IN ('open', 'used')),
    source_asset text NOT NULL,
    source_units units NOT NULL CHECK (source_units > 0),
    destination_asset text NOT NULL,
    destination_units units NOT NULL CHECK (destination_units > 0),
    venue_units units NOT NULL,
    spread_units units NOT NULL,
    processing_units units NOT NULL,
    partner_units units NOT NULL,
    network_units units NOT NULL,
    payment_method text NOT NULL,
    country text,
    terms jsonb NOT NULL,
    livemode boolean NOT NULL,
    order_id text UNIQUE,
    used_at timestamptz,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE orders (
    id text PRIMARY KEY,
    partner_id text NOT NULL REFERENCES partners,
    quote_id text NOT NULL UNIQUE REFERENCES quotes,
    external_id text,
    direction text NOT NULL CHECK (direction IN ('buy', 'sell')),
    state text NOT NULL,
    sequence bigint NOT NULL,
    source_asset text NOT NULL,
    source_units units NOT NULL CHECK (source_units > 0),
    received_units units NOT NULL DEFAULT 0,
    refunded_units units NOT NULL DEFAULT 0,
    destination_asset text NOT NULL,
    destination_units units NOT NULL CHECK (destination_units > 0),
    delivered_units units NOT NULL DEFAULT 0,
    venue_units units NOT NULL,
    spread_units units NOT NULL,
    processing_units units NOT NULL,
    partner_units units NOT NULL,
    network_units units NOT NULL,
    address text,
    script text,
    tx_hash text,
    payment_method text NOT NULL,
    customer jsonb NOT NULL,
    metadata jsonb NOT NULL,
    hold jsonb,
    dispute jsonb,
    failure jsonb,
    request_id text,
    livemode boolean NOT NULL,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (partner_id, external_id)
);
CREATE INDEX orders_partner ON orders (partner_id, id);
CREATE INDEX orders_open ON orders (state, expires_at)
    WHERE state NOT IN ('completed', 'failed', 'canceled', 'expired', 'refunded');

CREATE TABLE transitions (
    order_id text NOT NULL REFERENCES orders,
    sequence bigint NOT NULL,
    source text NOT NULL,
    trigger text NOT NULL,
    target text NOT NULL,
    cause text NOT NULL,
    actor text,
    reason text,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (order_id, sequence),
    UNIQUE (order_id, trigger, cause)
);

CREATE TABLE payments (
    id text PRIMARY KEY,
    order_id text NOT NULL UNIQUE REFERENCES orders,
    provider text NOT NULL,
    method text NOT NULL,
    asset text NOT NULL,
    units units NOT NULL CHECK (units > 0),
    status text NOT NULL,
    reference text,
    client_secret text,
    fee_units units,
    failure jsonb,
    polls integer NOT NULL DEFAULT 0,
    poll_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (provider, reference)
);
CREATE INDEX payments_poll ON payments (poll_at)
    WHERE status <> 'canceled' AND (status <> 'captured' OR fee_units IS NULL);

-- One row for every request that moves money at a provider, committed before the request leaves.
CREATE TABLE operations (
    id text PRIMARY KEY,
    order_id text NOT NULL REFERENCES orders,
    payment_id text NOT NULL REFERENCES payments,
    provider text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('start', 'capture', 'cancel', 'refund')),
    key text NOT NULL,
    asset text NOT NULL,
    units units NOT NULL CHECK (units > 0),
    state text NOT NULL CHECK (state IN ('intended', 'unknown', 'pending', 'succeeded', 'declined')),
    reference text,
    failure jsonb,
    tries integer NOT NULL DEFAULT 0,
    actor text,
    reason text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    decided_at timestamptz,
    UNIQUE (provider, key)
);
-- One start, capture or cancel at a time; one that was declined for good makes room for another.
CREATE UNIQUE INDEX operations_once ON operations (payment_id, kind) WHERE kind <> 'refund' AND state <> 'declined';
CREATE UNIQUE INDEX operations_refund ON operations (provider, reference) WHERE kind = 'refund';
CREATE INDEX operations_order ON operations (order_id);
CREATE INDEX operations_open ON operations (created_at) WHERE state IN ('intended', 'unknown', 'pending');

CREATE TABLE ledger_accounts (
    id text NOT NULL,
    asset text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('asset', 'liability', 'free')),
    PRIMARY KEY (id, asset)
);

CREATE TABLE entries (
    id text PRIMARY KEY,
    reference text NOT NULL UNIQUE,
    kind text NOT NULL,
    order_id text REFERENCES orders,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX entries_order ON entries (order_id) WHERE order_id IS NOT NULL;

CREATE TABLE postings (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entry_id text NOT NULL REFERENCES entries,
    account text NOT NULL,
    asset text NOT NULL,
    units units NOT NULL CHECK (units <> 0),
    FOREIGN KEY (account, asset) REFERENCES ledger_accounts (id, asset)
);
CREATE INDEX postings_entry ON postings (entry_id);
CREATE INDEX postings_account ON postings (account, asset);

CREATE FUNCTION entry_balances() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wanted text;
BEGIN
    IF TG_TABLE_NAME = 'entries' THEN wanted := NEW.id; ELSE wanted := NEW.entry_id; END IF;
    IF (SELECT count(*) FROM postings WHERE entry_id = wanted) < 2
       OR EXISTS (SELECT 1 FROM postings WHERE entry_id = wanted GROUP BY asset HAVING sum(units) <> 0) THEN
        RAISE EXCEPTION 'entry % does not balance', wanted USING ERRCODE = '23514';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = '42501';
END $$;
CREATE CONSTRAINT TRIGGER entries_balance AFTER INSERT ON entries
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION entry_balances();
CREATE CONSTRAINT TRIGGER postings_balance AFTER INSERT ON postings
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION entry_balances();
CREATE TRIGGER entries_append_only BEFORE UPDATE OR DELETE ON entries FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER entries_no_truncate BEFORE TRUNCATE ON entries FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER postings_append_only BEFORE UPDATE OR DELETE ON postings FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER postings_no_truncate BEFORE TRUNCATE ON postings FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER transitions_append_only BEFORE UPDATE OR DELETE ON transitions FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER transitions_no_truncate BEFORE TRUNCATE ON transitions FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TABLE blocks (
    network text NOT NULL,
    height integer NOT NULL,
    hash text NOT NULL,
    PRIMARY KEY (network, height)
);

CREATE TABLE wallet_addresses (
    network text NOT NULL,
    script text NOT NULL,
    address text NOT NULL,
    branch text NOT NULL CHECK (branch IN ('receive', 'change')),
    index integer NOT NULL,
    purpose text NOT NULL CHECK (purpose IN ('change', 'funding')),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (network, script),
    UNIQUE (network, branch, index)
);

CREATE TABLE coins (
    network text NOT NULL,
    txid text NOT NULL,
    vout integer NOT NULL,
    script text NOT NULL,
    units units NOT NULL,
    height integer,
    spent_txid text,
    spent_height integer,
    lineage_id text,
    PRIMARY KEY (network, txid, vout),
    FOREIGN KEY (network, script) REFERENCES wallet_addresses (network, script)
);
CREATE INDEX coins_spendable ON coins (network, units)
    WHERE lineage_id IS NULL AND spent_height IS NULL AND height IS NOT NULL;
CREATE INDEX coins_lineage ON coins (lineage_id) WHERE lineage_id IS NOT NULL;
CREATE INDEX coins_height ON coins (network, height);
CREATE INDEX coins_spent_height ON coins (network, spent_height);

CREATE TABLE sends (
    id text PRIMARY KEY,
    order_id text NOT NULL REFERENCES orders,
    purpose text NOT NULL CHECK (purpose IN ('deliver', 'refund')),
    network text NOT NULL,
    asset text NOT NULL,
    address text NOT NULL,
    script text NOT NULL,
    units units NOT NULL CHECK (units > 0),
    lineage_id text NOT NULL,
    state text NOT NULL CHECK (state IN ('prepared', 'broadcast', 'confirmed', 'abandoned')),
    confirmations_needed integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (order_id, purpose)
);
CREATE INDEX sends_open ON sends (network, state) WHERE state IN ('prepared', 'broadcast');
CREATE INDEX sends_lineage ON sends (lineage_id);

-- All transactions of one lineage spend the same coins and pay the same sends: at most one of them is ever mined.
CREATE TABLE chain_transactions (
    txid text PRIMARY KEY,
    network text NOT NULL,
    lineage_id text NOT NULL,
    raw bytea NOT NULL,
    fee_units units NOT NULL,
    vsize integer NOT NULL,
    height integer,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    broadcast_at timestamptz
);
CREATE INDEX chain_transactions_lineage ON chain_transactions (lineage_id);
CREATE INDEX chain_transactions_height ON chain_transactions (network, height);

CREATE TABLE notifications (
    id text PRIMARY KEY,
    provider text NOT NULL,
    notification_id text NOT NULL,
    kind text NOT NULL,
    livemode boolean NOT NULL,
    body bytea NOT NULL,
    state text NOT NULL CHECK (state IN ('received', 'processed', 'ignored', 'quarantined', 'parked')),
    error text,
    tries integer NOT NULL DEFAULT 0,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    processed_at timestamptz,
    UNIQUE (provider, notification_id)
);
CREATE INDEX notifications_open ON notifications (received_at) WHERE state = 'received';

-- Who had a notification processed again, and why.
CREATE TABLE notification_retries (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    notification_id text NOT NULL REFERENCES notifications,
    actor text NOT NULL,
    reason text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE events (
    id text PRIMARY KEY,
    position bigint GENERATED ALWAYS AS IDENTITY,
    partner_id text NOT NULL REFERENCES partners,
    partner_sequence bigint,
    type text NOT NULL,
    resource_type text NOT NULL,
    resource_id text NOT NULL,
    resource_sequence bigint NOT NULL,
    data jsonb NOT NULL,
    request_id text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (resource_id, resource_sequence),
    UNIQUE (partner_id, partner_sequence)
);
CREATE INDEX events_unpublished ON events (partner_id, position) WHERE partner_sequence IS NULL;

CREATE TABLE endpoints (
    id text PRIMARY KEY,
    partner_id text NOT NULL REFERENCES partners,
    url text NOT NULL,
    description text,
    event_types text[] NOT NULL,
    status text NOT NULL CHECK (status IN ('enabled', 'disabled')),
    disabled_reason text,
    metadata jsonb NOT NULL,
    sequence bigint NOT NULL DEFAULT 1,
    failing_since timestamptz,
    throttled_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz
);
CREATE INDEX endpoints_partner ON endpoints (partner_id) WHERE deleted_at IS NULL;

CREATE TABLE endpoint_secrets (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    endpoint_id text NOT NULL REFERENCES endpoints,
    ciphertext bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz
);
CREATE INDEX endpoint_secrets_endpoint ON endpoint_secrets (endpoint_id);

CREATE TABLE deliveries (
    id text PRIMARY KEY,
    event_id text NOT NULL REFERENCES events,
    endpoint_id text NOT NULL REFERENCES endpoints,
    state text NOT NULL CHECK (state IN ('pending', 'succeeded', 'exhausted', 'canceled')),
    attempts integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (event_id, endpoint_id)
);
CREATE INDEX deliveries_endpoint ON deliveries (endpoint_id, id);
CREATE INDEX deliveries_pending ON deliveries (due_at) WHERE state = 'pending';

CREATE TABLE attempts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    delivery_id text NOT NULL REFERENCES deliveries,
    number integer NOT NULL,
    status integer,
    error text,
    response text,
    duration_ms integer NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (delivery_id, number)
);

-- What a person should look at. One open alert per kind and subject.
CREATE TABLE alerts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    subject text NOT NULL,
    detail text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    resolved_at timestamptz
);
CREATE UNIQUE INDEX alerts_open ON alerts (kind, subject) WHERE resolved_at IS NULL;
