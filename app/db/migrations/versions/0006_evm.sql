-- Chains with accounts. What is final there the network says by itself; how many blocks lie above does not decide.
CREATE TABLE account_chains (
    network text PRIMARY KEY,
    tip_height integer NOT NULL,
    tip_at timestamptz NOT NULL,
    safe_height integer NOT NULL,
    finalized_height integer NOT NULL,
    sends_final text NOT NULL CHECK (sends_final IN ('safe', 'finalized')),
    finalized_moved_at timestamptz NOT NULL DEFAULT now(),
    degraded text
);

-- Whether something in a block counts for good: by depth, or where the network has a word for it, by that.
CREATE FUNCTION is_deep(chain text, block_height integer, confirmations integer) RETURNS boolean STABLE LANGUAGE sql
AS $$
    SELECT coalesce(
        (SELECT block_height <= finalized_height FROM account_chains WHERE network = chain),
        (SELECT max(height) FROM blocks WHERE network = chain) - block_height + 1 >= confirmations
    )
$$;

-- An address that signs: its row is the lock that its nonces are taken under.
CREATE TABLE senders (
    network text NOT NULL,
    script text NOT NULL,
    next_nonce bigint NOT NULL CHECK (next_nonce >= 0),
    stopped text,
    PRIMARY KEY (network, script),
    FOREIGN KEY (network, script) REFERENCES wallet_addresses (network, script)
);

-- One nonce of one sender, and what it is used for. Its attempts replace each other: at most one of them is mined.
CREATE TABLE calls (
    id text PRIMARY KEY,
    network text NOT NULL,
    sender text NOT NULL,
    nonce bigint NOT NULL CHECK (nonce >= 0),
    purpose text NOT NULL CHECK (purpose IN ('send', 'approve', 'collect', 'fill')),
    about text,
    asset text NOT NULL,
    units units NOT NULL CHECK (units >= 0),
    gas_limit bigint NOT NULL CHECK (gas_limit > 0),
    gas_reserved units NOT NULL DEFAULT 0 CHECK (gas_reserved >= 0),
    state text NOT NULL CHECK (state IN ('open', 'done', 'reverted', 'filled', 'lost')),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (network, sender, nonce),
    FOREIGN KEY (network, sender) REFERENCES senders (network, script),
    CHECK ((purpose = 'collect') = (about IS NOT NULL))
);
CREATE INDEX calls_open ON calls (network, sender, nonce) WHERE state = 'open';
CREATE INDEX calls_about ON calls (network, about) WHERE about IS NOT NULL;

CREATE TABLE call_attempts (
    txid text PRIMARY KEY,
    network text NOT NULL,
    call_id text NOT NULL REFERENCES calls,
    raw bytea NOT NULL,
    max_fee units NOT NULL,
    priority_fee units NOT NULL,
    is_filler boolean NOT NULL DEFAULT false,
    height integer,
    ok boolean,
    fee_units units,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    broadcast_at timestamptz,
    CHECK ((height IS NULL) = (ok IS NULL) AND (height IS NULL) = (fee_units IS NULL))
);
CREATE INDEX call_attempts_call ON call_attempts (call_id);
CREATE UNIQUE INDEX call_attempts_mined ON call_attempts (call_id) WHERE height IS NOT NULL;
CREATE INDEX call_attempts_height ON call_attempts (network, height) WHERE height IS NOT NULL;

-- What others paid to any address of ours, in the blocks that we follow.
CREATE TABLE arrivals (
    network text NOT NULL,
    txid text NOT NULL,
    place integer NOT NULL,
    script text NOT NULL,
    asset text NOT NULL,
    units units NOT NULL CHECK (units > 0),
    height integer NOT NULL,
    block_hash text NOT NULL,
    PRIMARY KEY (network, txid, place),
    FOREIGN KEY (network, script) REFERENCES wallet_addresses (network, script)
);
CREATE INDEX arrivals_height ON arrivals (network, height);

-- Why a deposit waits for a person once it is deep enough: another asset, or a balance that did not rise with it.
ALTER TABLE deposits ADD COLUMN suspect text;
