-- Reconciliation: when each source was held against the ledger, which line is which entry, and what is not explained.

CREATE TABLE reconciliation_runs (
    id text PRIMARY KEY,
    source text NOT NULL,
    state text NOT NULL CHECK (state IN ('done', 'failed')),
    night text,
    at_block text,
    lines bigint NOT NULL,
    matched bigint NOT NULL,
    pending bigint NOT NULL,
    breaks bigint NOT NULL,
    balances jsonb NOT NULL,
    error text,
    started_at timestamptz NOT NULL,
    finished_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK ((state = 'failed') = (error IS NOT NULL))
);
CREATE UNIQUE INDEX reconciliation_runs_nightly ON reconciliation_runs (source, night)
    WHERE night IS NOT NULL AND state = 'done';
CREATE INDEX reconciliation_runs_newest ON reconciliation_runs (source, id DESC);
CREATE TRIGGER reconciliation_runs_append_only BEFORE UPDATE OR DELETE ON reconciliation_runs
    FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TABLE reconciliation_lines (
    source text NOT NULL,
    reference text NOT NULL,
    thing text NOT NULL,
    asset text NOT NULL,
    units units NOT NULL,
    at timestamptz,
    entry_id text NOT NULL REFERENCES entries,
    run_id text NOT NULL REFERENCES reconciliation_runs,
    matched_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, reference)
);
CREATE INDEX reconciliation_lines_entry ON reconciliation_lines (entry_id);

-- One row for one line, or entry, that is not explained, whether it is for the first time or again.
CREATE TABLE reconciliation_breaks (
    id text PRIMARY KEY,
    source text NOT NULL,
    account text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('not_in_books', 'not_at_source', 'other_amount', 'other_currency', 'duplicate',
        'late', 'balance')),
    thing text NOT NULL,
    asset text NOT NULL,
    units units NOT NULL,
    line_reference text,
    entry_id text REFERENCES entries,
    line_at timestamptz,
    detail text NOT NULL,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'resolved')),
    sequence bigint NOT NULL DEFAULT 1,
    opened_at timestamptz NOT NULL DEFAULT now(),
    seen_in text NOT NULL REFERENCES reconciliation_runs,
    resolution text CHECK (resolution IN ('matched', 'explained', 'corrected')),
    resolved_by text,
    resolved_at timestamptz,
    note text,
    correction_id text REFERENCES entries,
    CHECK ((state = 'resolved') = (resolution IS NOT NULL)),
    CHECK (num_nonnulls(resolution, resolved_by, resolved_at, note) IN (0, 4)),
    CHECK (state = 'open' OR (resolution = 'corrected') = (correction_id IS NOT NULL))
);
CREATE UNIQUE INDEX reconciliation_breaks_once ON reconciliation_breaks
    (source, line_reference, entry_id, asset, (kind = 'balance')) NULLS NOT DISTINCT;
CREATE INDEX reconciliation_breaks_open ON reconciliation_breaks (source, id) WHERE state = 'open';
CREATE FUNCTION break_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a break is resolved, never deleted' USING ERRCODE = '42501';
END $$;
CREATE TRIGGER reconciliation_breaks_stay BEFORE DELETE ON reconciliation_breaks
    FOR EACH ROW EXECUTE FUNCTION break_stays();

-- Everything that was ever done about a break.
CREATE TABLE reconciliation_actions (
    break_id text NOT NULL REFERENCES reconciliation_breaks,
    sequence bigint NOT NULL,
    action text NOT NULL CHECK (action IN ('opened', 'reopened', 'matched', 'explained', 'proposed', 'corrected')),
    actor text NOT NULL,
    reason text NOT NULL,
    account text,
    entry_id text REFERENCES entries,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (break_id, sequence),
    CHECK ((action IN ('proposed', 'corrected')) = (account IS NOT NULL)),
    CHECK ((action = 'corrected') = (entry_id IS NOT NULL))
);
CREATE TRIGGER reconciliation_actions_append_only BEFORE UPDATE OR DELETE ON reconciliation_actions
    FOR EACH ROW EXECUTE FUNCTION append_only();
