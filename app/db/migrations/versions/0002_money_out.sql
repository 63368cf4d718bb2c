-- What a partner may pay out, kept beside the postings that make it: its row is the lock that payouts take turns on.
CREATE TABLE balances (
    account text NOT NULL,
    asset text NOT NULL,
    units units NOT NULL,
    PRIMARY KEY (account, asset)
);
CREATE FUNCTION balance_is_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.units < 0 THEN
        RAISE EXCEPTION 'account % would stand below zero in %', NEW.account, NEW.asset USING ERRCODE = '23514';
    END IF;
    RETURN NULL;
END $$;
-- A CHECK would look at the row that an upsert proposes, and refuse a debit before it is added up.
CREATE TRIGGER balances_covered AFTER INSERT OR UPDATE ON balances
    FOR EACH ROW EXECUTE FUNCTION balance_is_covered();
INSERT INTO balances (account, asset, units)
SELECT account, asset, -sum(units) FROM postings WHERE account LIKE 'partner:%:available' GROUP BY account, asset;

-- Which payout, batch, lineage, deposit or top-up an entry is about; `order_id` stays for those of an order.
ALTER TABLE entries ADD COLUMN subject text;
CREATE INDEX entries_subject ON entries (subject) WHERE subject IS NOT NULL;

CREATE TABLE external_accounts (
    id text PRIMARY KEY,
    partner_id text NOT NULL REFERENCES partners,
    type text NOT NULL CHECK (type IN ('bank', 'wallet')),
    scheme text CHECK (scheme IN ('ach', 'sepa')),
    asset text NOT NULL,
    address text,
    script text,
    holder_name text,
    bank_name text,
    country text,
    last4 text,
    details bytea,
    fingerprint bytea NOT NULL,
    status text NOT NULL CHECK (status IN ('pending', 'verified', 'rejected', 'locked', 'closed')),
    reason text,
    corrections text[] NOT NULL DEFAULT '{}',
    metadata jsonb NOT NULL DEFAULT '{}',
    sequence bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((type = 'wallet') = (address IS NOT NULL AND script IS NOT NULL)),
    CHECK ((type = 'bank') = (scheme IS NOT NULL AND details IS NOT NULL AND last4 IS NOT NULL))
);
CREATE INDEX external_accounts_partner ON external_accounts (partner_id, id);
CREATE INDEX external_accounts_fingerprint ON external_accounts (partner_id, fingerprint);

-- Moves of everything that is not an order: payouts, batches, deposits. Insert-only.
CREATE TABLE moves (
    resource_id text NOT NULL,
    sequence bigint NOT NULL,
    source text NOT NULL,
    trigger text NOT NULL,
    target text NOT NULL,
    cause text NOT NULL,
    actor text,
    reason text,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (resource_id, sequence),
    UNIQUE (resource_id, trigger, cause)
);
CREATE TRIGGER moves_append_only BEFORE UPDATE OR DELETE ON moves FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER moves_no_truncate BEFORE TRUNCATE ON moves FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- Uploads, in pieces that are written while they arrive.
CREATE TABLE files (
    id text PRIMARY KEY,
    partner_id text NOT NULL REFERENCES partners,
    content_type text NOT NULL CHECK (content_type IN ('text/csv', 'application/x-ndjson')),
    status text NOT NULL CHECK (status IN ('uploading', 'ready')),
    size bigint NOT NULL DEFAULT 0,
    sha256 bytea,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX files_partner ON files (partner_id, id);
CREATE TABLE file_pieces (
    file_id text NOT NULL REFERENCES files ON DELETE CASCADE,
    number integer NOT NULL,
    data bytea NOT NULL,
    PRIMARY KEY (file_id, number)
);
ALTER TABLE file_pieces ALTER COLUMN data SET STORAGE EXTERNAL;

CREATE TABLE payout_batches (
    id text PRIMARY KEY,
    partner_id text NOT NULL REFERENCES partners,
    external_id text,
    mode text NOT NULL CHECK (mode IN ('all_or_nothing', 'best_effort')),
    state text NOT NULL,
    sequence bigint NOT NULL,
    file_id text REFERENCES files,
    items integer NOT NULL DEFAULT 0,
    invalid_items integer NOT NULL DEFAULT 0,
    next_position integer NOT NULL DEFAULT 1,
    settled_items integer NOT NULL DEFAULT 0,
    failed_items integer NOT NULL DEFAULT 0,
    approval_hash bytea,
    failure jsonb,
    metadata jsonb NOT NULL DEFAULT '{}',
    created_by text NOT NULL,
    request_id text,
    livemode boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (partner_id, external_id)
);
CREATE INDEX payout_batches_partner ON payout_batches (partner_id, id);

CREATE TABLE payout_batch_totals (
    batch_id text NOT NULL REFERENCES payout_batches,
    asset text NOT NULL,
    units units NOT NULL CHECK (units > 0),
    items integer NOT NULL,
    PRIMARY KEY (batch_id, asset)
);

CREATE TABLE payouts (
    id text PRIMARY KEY,
    partner_id text NOT NULL REFERENCES partners,
    kind text NOT NULL CHECK (kind IN ('payout', 'sale', 'refund')),
    order_id text REFERENCES orders,
    batch_id text REFERENCES payout_batches,
    batch_position integer,
    external_account_id text REFERENCES external_accounts,
    external_id text,
    asset text NOT NULL,
    units units NOT NULL CHECK (units > 0),
    method text NOT NULL CHECK (method IN ('ach', 'rtp', 'wire', 'sepa', 'chain')),
    provider text NOT NULL,
    provider_reference text,
    provider_status text,
    reference text,
    address text,
    script text,
    state text NOT NULL,
    sequence bigint NOT NULL,
    hold jsonb,
    failure jsonb,
    returned jsonb,
    tx_hash text,
    approval_hash bytea,
    metadata jsonb NOT NULL DEFAULT '{}',
    created_by text,
    polls integer NOT NULL DEFAULT 0,
    poll_at timestamptz NOT NULL DEFAULT now(),
    file_id text,
    request_id text,
    livemode boolean NOT NULL,
    submitted_at timestamptz,
    settled_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (partner_id, external_id),
    UNIQUE (provider, provider_reference),
    UNIQUE (batch_id, batch_position),
    CHECK ((kind = 'payout') = (order_id IS NULL)),
    CHECK ((method = 'chain') = (address IS NOT NULL AND script IS NOT NULL))
);
CREATE INDEX payouts_partner ON payouts (partner_id, id);
CREATE INDEX payouts_order ON payouts (order_id) WHERE order_id IS NOT NULL;
-- The fiat of a sale is paid once; a payout that came to nothing makes room for another.
CREATE UNIQUE INDEX payouts_sale ON payouts (order_id)
    WHERE kind = 'sale' AND state NOT IN ('failed', 'canceled', 'returned');
CREATE INDEX payouts_waiting ON payouts (provider, id) WHERE state = 'queued' AND hold IS NULL;
CREATE INDEX payouts_file ON payouts (file_id) WHERE file_id IS NOT NULL;
CREATE INDEX payouts_poll ON payouts (poll_at)
    WHERE method <> 'chain' AND state IN ('sending', 'submitted', 'settled');

CREATE TABLE payout_items (
    batch_id text NOT NULL REFERENCES payout_batches,
    position integer NOT NULL,
    line integer,
    external_account_id text,
    asset text,
    units units,
    method text,
    reference text,
    external_id text,
    errors jsonb,
    warnings jsonb,
    payout_id text,
    PRIMARY KEY (batch_id, position)
);

-- Who approved or rejected what: the hash binds it to the amounts and destinations that were shown.
CREATE TABLE approvals (
    resource_id text NOT NULL,
    key_id text NOT NULL REFERENCES api_keys,
    verdict text NOT NULL CHECK (verdict IN ('approved', 'rejected')),
    hash bytea NOT NULL,
    reason text,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (resource_id, key_id)
);
CREATE TRIGGER approvals_append_only BEFORE UPDATE OR DELETE ON approvals FOR EACH ROW EXECUTE FUNCTION append_only();

-- Payment orders that go to a bank as a file: its bytes are fixed before anything leaves.
CREATE TABLE payment_files (
    id text PRIMARY KEY,
    provider text NOT NULL,
    name text NOT NULL,
    data bytea NOT NULL,
    payouts integer NOT NULL,
    handed_over_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (provider, name)
);

CREATE TABLE deposit_addresses (
    id text PRIMARY KEY,
    partner_id text NOT NULL REFERENCES partners,
    network text NOT NULL,
    asset text NOT NULL,
    address text NOT NULL,
    script text NOT NULL,
    route text NOT NULL CHECK (route IN ('balance', 'sell', 'order')),
    order_id text UNIQUE REFERENCES orders,
    external_account_id text REFERENCES external_accounts,
    sell_asset text,
    status text NOT NULL CHECK (status IN ('active', 'deactivated')),
    sequence bigint NOT NULL DEFAULT 1,
    metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (network, script),
    FOREIGN KEY (network, script) REFERENCES wallet_addresses (network, script),
    CHECK ((route = 'order') = (order_id IS NOT NULL)),
    CHECK (route <> 'sell' OR (external_account_id IS NOT NULL AND sell_asset IS NOT NULL))
);
CREATE INDEX deposit_addresses_partner ON deposit_addresses (partner_id, id);
-- Addresses 0 to 15 of the receive branch are the operator's own.
CREATE SEQUENCE deposit_address_index MINVALUE 16 START 16;

CREATE TABLE deposits (
    id text PRIMARY KEY,
    partner_id text NOT NULL REFERENCES partners,
    deposit_address_id text NOT NULL REFERENCES deposit_addresses,
    order_id text REFERENCES orders,
    network text NOT NULL,
    asset text NOT NULL,
    txid text NOT NULL,
    vout integer NOT NULL,
    units units NOT NULL CHECK (units > 0),
    confirmations_needed integer NOT NULL,
    state text NOT NULL,
    sequence bigint NOT NULL,
    height integer,
    block_hash text,
    credits integer NOT NULL DEFAULT 0,
    kept_units units NOT NULL DEFAULT 0,
    lost_units units NOT NULL DEFAULT 0,
    hold jsonb,
    request_id text,
    livemode boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (network, txid, vout)
);
CREATE INDEX deposits_partner ON deposits (partner_id, id);
CREATE INDEX deposits_address ON deposits (deposit_address_id);
CREATE INDEX deposits_order ON deposits (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX deposits_open ON deposits (network, state) WHERE state IN ('detected', 'confirmed');

CREATE TABLE virtual_accounts (
    id text PRIMARY KEY,
    partner_id text NOT NULL REFERENCES partners,
    asset text NOT NULL,
    provider text NOT NULL,
    reference text NOT NULL,
    details bytea NOT NULL,
    last4 text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (provider, reference),
    UNIQUE (partner_id, asset)
);

CREATE TABLE top_ups (
    id text PRIMARY KEY,
    partner_id text REFERENCES partners,
    virtual_account_id text REFERENCES virtual_accounts,
    provider text NOT NULL,
    reference text NOT NULL,
    asset text NOT NULL,
    units units NOT NULL CHECK (units > 0),
    status text NOT NULL CHECK (status IN ('credited', 'held', 'reversed')),
    reason text,
    sender_name text NOT NULL,
    message text NOT NULL,
    sequence bigint NOT NULL DEFAULT 1,
    livemode boolean NOT NULL,
    received_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (provider, reference)
);
CREATE INDEX top_ups_partner ON top_ups (partner_id, id) WHERE partner_id IS NOT NULL;

ALTER TABLE orders
    ADD COLUMN external_account_id text REFERENCES external_accounts,
    ADD COLUMN deposit_address text,
    ADD COLUMN refund_address text,
    ADD COLUMN refund_script text;

-- A send is of an order or of a payout, and shares its transaction, and that one's fee, with others of its lineage.
ALTER TABLE sends
    ALTER COLUMN order_id DROP NOT NULL,
    ADD COLUMN payout_id text UNIQUE REFERENCES payouts,
    ADD COLUMN fee_units units NOT NULL DEFAULT 0,
    DROP CONSTRAINT sends_purpose_check,
    ADD CONSTRAINT sends_purpose_check CHECK (purpose IN ('deliver', 'payout')),
    ADD CONSTRAINT sends_subject_check CHECK ((purpose = 'deliver') = (order_id IS NOT NULL)),
    ADD CONSTRAINT sends_payout_check CHECK ((purpose = 'payout') = (payout_id IS NOT NULL));
UPDATE sends SET fee_units = signed.fee_units FROM chain_transactions AS signed
WHERE signed.lineage_id = sends.lineage_id;

ALTER TABLE wallet_addresses
    DROP CONSTRAINT wallet_addresses_purpose_check,
    ADD CONSTRAINT wallet_addresses_purpose_check CHECK (purpose IN ('change', 'funding', 'deposit'));

-- A deposit's coins are not ours to spend before they have counted.
ALTER TABLE coins ADD COLUMN settled boolean NOT NULL DEFAULT true;
DROP INDEX coins_spendable;
CREATE INDEX coins_spendable ON coins (network, units)
    WHERE lineage_id IS NULL AND spent_height IS NULL AND height IS NOT NULL AND settled;

-- Jobs that were in hand when their worker died: how often each has been started with no other suspect beside it.
CREATE TABLE suspects (
    job_id bigint PRIMARY KEY,
    starts integer NOT NULL
);
