-- One row for each chain: whether coins may leave on it, and whether deposits on it count.
CREATE TABLE wallet_switches (
    network text PRIMARY KEY,
    sending boolean NOT NULL DEFAULT true,
    crediting boolean NOT NULL DEFAULT true,
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- Who stopped, started, allowed or moved what, and why.
CREATE TABLE wallet_commands (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    network text NOT NULL,
    command text NOT NULL CHECK (command IN (
        'stop_sending', 'start_sending', 'stop_crediting', 'start_crediting', 'allow', 'confirm', 'sweep',
        'start_sender', 'abandon'
    )),
    subject text,
    actor text NOT NULL,
    reason text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TRIGGER wallet_commands_append_only BEFORE UPDATE OR DELETE ON wallet_commands
    FOR EACH ROW EXECUTE FUNCTION append_only();

-- What may leave. Without a row nothing of the asset does; a limit that is null does not bind.
CREATE TABLE spending_limits (
    asset text PRIMARY KEY,
    per_send units CHECK (per_send >= 0),
    per_hour units CHECK (per_hour >= 0),
    per_day units CHECK (per_day >= 0),
    per_address units CHECK (per_address >= 0),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- What was let go, in the transaction that signed it: the rolling windows are sums of these.
CREATE TABLE spends (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    network text NOT NULL,
    asset text NOT NULL,
    address text NOT NULL,
    units units NOT NULL CHECK (units > 0),
    subject text NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX spends_window ON spends (asset, at);
CREATE INDEX spends_subject ON spends (subject);
CREATE TRIGGER spends_append_only BEFORE UPDATE OR DELETE ON spends FOR EACH ROW EXECUTE FUNCTION append_only();

-- Where the operator's own coins may be moved to: a second person agrees, and a day passes.
CREATE TABLE cold_addresses (
    network text NOT NULL,
    script text NOT NULL,
    address text NOT NULL,
    added_by text NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now(),
    confirmed_by text,
    confirmed_at timestamptz,
    PRIMARY KEY (network, script),
    CHECK (confirmed_by <> added_by),
    CHECK ((confirmed_by IS NULL) = (confirmed_at IS NULL))
);

-- Moves to cold storage that were asked for; `lineage_id` once one is signed.
CREATE TABLE cold_sweeps (
    id text PRIMARY KEY,
    network text NOT NULL,
    script text NOT NULL,
    units units NOT NULL CHECK (units > 0),
    actor text NOT NULL,
    reason text NOT NULL,
    lineage_id text UNIQUE,
    asked_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (network, script) REFERENCES cold_addresses (network, script)
);
CREATE INDEX cold_sweeps_open ON cold_sweeps (network, asked_at) WHERE lineage_id IS NULL;

-- Transactions of one lineage are attempts at the same thing, numbered from 1. A coin that a later attempt added
-- carries that attempt's number: earlier ones do not spend it.
ALTER TABLE chain_transactions
    ADD COLUMN attempt integer NOT NULL DEFAULT 1 CHECK (attempt >= 1),
    ADD COLUMN signed_height integer,
    ADD COLUMN replaced_at timestamptz,
    ADD CONSTRAINT chain_transactions_attempt UNIQUE (lineage_id, attempt);
ALTER TABLE coins ADD COLUMN attempt integer;
UPDATE coins SET attempt = 1 WHERE lineage_id IS NOT NULL;
ALTER TABLE coins ADD CONSTRAINT coins_attempt_check CHECK ((attempt IS NULL) = (lineage_id IS NULL));
-- Our own change that waits for a block, which may be spent all the same.
CREATE INDEX coins_unconfirmed ON coins (network, units)
    WHERE lineage_id IS NULL AND spent_height IS NULL AND height IS NULL;

-- When the chain itself says that a block was made.
ALTER TABLE blocks ADD COLUMN mined_at timestamptz;

-- Sends that pay nobody (`consolidate`, `child`) move our own coins and cost their fee.
ALTER TABLE sends
    DROP CONSTRAINT sends_purpose_check,
    ADD CONSTRAINT sends_purpose_check CHECK (purpose IN ('deliver', 'payout', 'sweep', 'consolidate', 'child')),
    DROP CONSTRAINT sends_units_check,
    ADD CONSTRAINT sends_units_check CHECK (units > 0 OR (units = 0 AND purpose IN ('consolidate', 'child')));
