-- Screening: which lists are required and how old they may be, what they say, and what was stopped because of them.

-- Written from the settings at every start, so that each transaction that checks reads the rules with the lists.
-- No row: nothing is screened.
CREATE TABLE screening_rules (
    source text PRIMARY KEY,
    fetched_within_seconds bigint NOT NULL CHECK (fetched_within_seconds > 0),
    issued_within_seconds bigint NOT NULL CHECK (issued_within_seconds > 0),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- One row for each import, of the same file again too: it says that the list still stood so on that day.
CREATE TABLE screening_lists (
    id text PRIMARY KEY,
    source text NOT NULL,
    issued_at timestamptz NOT NULL,
    sha256 text NOT NULL,
    addresses bigint NOT NULL CHECK (addresses > 0),
    added bigint NOT NULL,
    removed bigint NOT NULL,
    imported_by text NOT NULL,
    imported_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX screening_lists_newest ON screening_lists (source, imported_at DESC);
CREATE TRIGGER screening_lists_append_only BEFORE UPDATE OR DELETE ON screening_lists
    FOR EACH ROW EXECUTE FUNCTION append_only();

-- What lists have named, and since and until when: an address that was taken off stays here.
CREATE TABLE screening_addresses (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source text NOT NULL,
    key text NOT NULL,
    address text NOT NULL,
    label text NOT NULL,
    entry text NOT NULL,
    name text NOT NULL,
    added_in text NOT NULL REFERENCES screening_lists,
    removed_in text REFERENCES screening_lists
);
CREATE UNIQUE INDEX screening_addresses_listed ON screening_addresses (key, source, label, entry)
    WHERE removed_in IS NULL;

-- What was stopped. A case is ended by a person's recorded decision, but for one that only waited for a fresh list.
CREATE TABLE screening_cases (
    id text PRIMARY KEY,
    subject text NOT NULL,
    partner_id text NOT NULL REFERENCES partners,
    kind text NOT NULL CHECK (kind IN ('match', 'unchecked')),
    address text NOT NULL,
    listed_id bigint REFERENCES screening_addresses,
    detail text NOT NULL,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'released', 'confirmed', 'cleared')),
    opened_at timestamptz NOT NULL DEFAULT now(),
    decided_at timestamptz,
    decided_by text,
    reason text,
    CHECK ((kind = 'match') = (listed_id IS NOT NULL)),
    CHECK ((state = 'open') = (decided_at IS NULL)),
    CHECK ((decided_at IS NULL) = (decided_by IS NULL) AND (decided_at IS NULL) = (reason IS NULL)),
    CHECK (state <> 'cleared' OR kind = 'unchecked')
);
CREATE UNIQUE INDEX screening_cases_once ON screening_cases (subject, kind, address, listed_id) NULLS NOT DISTINCT
    WHERE state IN ('open', 'confirmed');
CREATE INDEX screening_cases_open ON screening_cases (state, id) WHERE state = 'open';
CREATE INDEX screening_cases_of ON screening_cases (subject);

-- A decision stands: nothing of a case changes but its end, and that once.
CREATE FUNCTION screening_case_ends_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.state <> 'open' OR NEW.state = 'open'
        OR (NEW.id, NEW.subject, NEW.partner_id, NEW.kind, NEW.address, NEW.listed_id, NEW.detail, NEW.opened_at)
            IS DISTINCT FROM
           (OLD.id, OLD.subject, OLD.partner_id, OLD.kind, OLD.address, OLD.listed_id, OLD.detail, OLD.opened_at)
    THEN
        RAISE EXCEPTION 'a screening case ends once' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER screening_cases_end_once BEFORE UPDATE OR DELETE ON screening_cases
    FOR EACH ROW EXECUTE FUNCTION screening_case_ends_once();
