-- The small, precious half: properties, tenants, price books, grants, ledger entries.
-- Days are days since 1970-01-01, months are months since January of the year 0, instants are microseconds since
-- 1970-01-01T00:00:00Z. Public names and text dates come with the views.

CREATE TABLE ledger_property (
    id INTEGER PRIMARY KEY CONSTRAINT one_row CHECK (id = 1),
    time_zone TEXT NOT NULL,
    test_clock INTEGER NOT NULL CONSTRAINT test_clock_flag CHECK (test_clock IN (0, 1)),
    final_after_days INTEGER NOT NULL CONSTRAINT final_after_days_range CHECK (final_after_days BETWEEN 1 AND 31),
    max_age_days INTEGER NOT NULL CONSTRAINT max_age_days_range CHECK (max_age_days BETWEEN 0 AND 3650),
    currency TEXT NOT NULL CONSTRAINT currency_code CHECK (length(currency) = 3),
    minor_unit_micros INTEGER NOT NULL,
    -- How long after the later of finality and settlement a bill is due.
    payment_term_days INTEGER NOT NULL,
    -- Keys the fingerprints of device ids, so that nobody can choose ids that collide.
    fingerprint_key BLOB NOT NULL CONSTRAINT fingerprint_key_length CHECK (length(fingerprint_key) = 16),
    created_at INTEGER NOT NULL
) STRICT;

CREATE TRIGGER ledger_property_is_fixed BEFORE UPDATE ON ledger_property
BEGIN
    SELECT raise(ABORT, 'the properties of a ledger never change');
END;

CREATE TRIGGER ledger_property_stays BEFORE DELETE ON ledger_property
BEGIN
    SELECT raise(ABORT, 'the properties of a ledger never change');
END;

CREATE TABLE ledger_state (
    id INTEGER PRIMARY KEY CONSTRAINT one_row CHECK (id = 1),
    -- The latest instant at which the ledger was changed or rated, or a daemon saw it: what a test clock shows and never
    -- goes behind, and what tells a machine's clock that has jumped.
    latest_instant INTEGER,
    -- Days through this one take no more usage, whatever the clock does; set before a run settles them.
    closed_through INTEGER,
    -- Days through this one are rated for good.
    settled_through INTEGER,
    -- The latest day that any run has covered, or has begun to cover.
    rated_through INTEGER,
    -- Counts what can change a rating (usage, grants, voids, price books); a run notes how far it had come.
    change_count INTEGER NOT NULL,
    rated_change_count INTEGER NOT NULL,
    -- Changed by whoever wants to know whether the file can be written; means nothing.
    probe_count INTEGER NOT NULL DEFAULT 0,
    CONSTRAINT settled_is_closed CHECK (settled_through IS NULL OR settled_through <= closed_through)
) STRICT;

-- Where local dates begin. Stored when first used, so that a later change of zone data moves no day that was billed.
CREATE TABLE day_start (
    starts_at INTEGER PRIMARY KEY,
    day INTEGER NOT NULL
) STRICT;

CREATE INDEX day_start_by_day ON day_start (day);

CREATE TABLE tenant (
    tenant_id INTEGER PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    legacy INTEGER NOT NULL CONSTRAINT legacy_flag CHECK (legacy IN (0, 1))
) STRICT;

CREATE TABLE app (
    app_id INTEGER PRIMARY KEY,
    tenant_id INTEGER NOT NULL REFERENCES tenant,
    -- Unique in the ledger, not only within its tenant: events name the app alone.
    code TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL
) STRICT;

CREATE INDEX app_by_tenant ON app (tenant_id);

CREATE TABLE price_book_version (
    version INTEGER PRIMARY KEY,
    effective_day INTEGER NOT NULL UNIQUE,
    applied_at INTEGER NOT NULL,
    -- The file as it was applied: the version is this text.
    yaml TEXT NOT NULL
) STRICT;

CREATE TRIGGER price_book_version_is_fixed BEFORE UPDATE ON price_book_version
BEGIN
    SELECT raise(ABORT, 'a version of the price book never changes; apply a later one');
END;

CREATE TRIGGER price_book_version_stays BEFORE DELETE ON price_book_version
BEGIN
    SELECT raise(ABORT, 'a version of the price book never changes; apply a later one');
END;

CREATE TABLE item (
    item_id INTEGER PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    -- A licence is no item of the price book: it stands here because ledger entries name it.
    aggregation TEXT NOT NULL CONSTRAINT aggregation_kind CHECK (aggregation IN ('unique_devices', 'sum', 'licence'))
) STRICT;

CREATE TABLE "grant" (
    grant_id INTEGER PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    tenant_id INTEGER NOT NULL REFERENCES tenant,
    offer TEXT NOT NULL CONSTRAINT offer_code CHECK (offer IN ('mini_program_package', 'resource_package', 'subscription')),
    -- The item of a resource package, the licence of a subscription.
    item_id INTEGER REFERENCES item,
    -- The app of a subscription.
    app_id INTEGER REFERENCES app,
    -- What a package was bought for.
    devices INTEGER,
    term TEXT NOT NULL CONSTRAINT term_kind CHECK (term IN ('month', 'year')),
    purchased_at INTEGER NOT NULL,
    price_micros INTEGER CONSTRAINT price_is_paid CHECK (price_micros >= 0),
    recorded_at INTEGER NOT NULL,
    effective_day INTEGER NOT NULL,
    end_day INTEGER NOT NULL,
    first_posting_day INTEGER NOT NULL,
    voided_at INTEGER,
    -- The earliest day that was open when it was voided: it takes part in no posting day from this one on.
    voided_from_day INTEGER,
    CONSTRAINT void_is_whole CHECK ((voided_at IS NULL) = (voided_from_day IS NULL)),
    CONSTRAINT life_is_not_empty CHECK (effective_day < end_day)
) STRICT;

CREATE INDEX grant_by_tenant ON "grant" (tenant_id);

-- What is sold stays as it was sold; only a void is noted, once.
CREATE TRIGGER grant_is_fixed BEFORE UPDATE ON "grant"
WHEN OLD.voided_at IS NOT NULL
    OR (OLD.grant_id, OLD.code, OLD.tenant_id, OLD.offer, OLD.item_id, OLD.app_id, OLD.devices, OLD.term, OLD.purchased_at,
        OLD.price_micros, OLD.recorded_at, OLD.effective_day, OLD.end_day, OLD.first_posting_day)
    IS NOT (NEW.grant_id, NEW.code, NEW.tenant_id, NEW.offer, NEW.item_id, NEW.app_id, NEW.devices, NEW.term, NEW.purchased_at,
        NEW.price_micros, NEW.recorded_at, NEW.effective_day, NEW.end_day, NEW.first_posting_day)
BEGIN
    SELECT raise(ABORT, 'a grant never changes but for being voided once');
END;

CREATE TRIGGER grant_stays BEFORE DELETE ON "grant"
BEGIN
    SELECT raise(ABORT, 'a grant is never deleted; void it');
END;

-- What a grant covers: of each item so many units, a month (package) or in all (resource package).
CREATE TABLE grant_item (
    grant_id INTEGER NOT NULL REFERENCES "grant",
    item_id INTEGER NOT NULL REFERENCES item,
    granted INTEGER NOT NULL CONSTRAINT granted_is_positive CHECK (granted > 0),
    PRIMARY KEY (grant_id, item_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE rating_run (
    run_id INTEGER PRIMARY KEY,
    requested_day INTEGER NOT NULL,
    started_at INTEGER NOT NULL
) STRICT;

CREATE TABLE settled_day (
    day INTEGER PRIMARY KEY,
    -- The local date on which it was settled.
    settled_on INTEGER NOT NULL
) STRICT;

CREATE TRIGGER settled_day_is_fixed BEFORE UPDATE ON settled_day
BEGIN
    SELECT raise(ABORT, 'a settled day stays settled');
END;

CREATE TRIGGER settled_day_stays BEFORE DELETE ON settled_day
BEGIN
    SELECT raise(ABORT, 'a settled day stays settled');
END;

CREATE TABLE ledger_entry (
    entry_id INTEGER PRIMARY KEY,
    posted_day INTEGER NOT NULL,
    usage_day INTEGER NOT NULL,
    tenant_id INTEGER NOT NULL REFERENCES tenant,
    app_id INTEGER REFERENCES app,
    item_id INTEGER REFERENCES item,
    -- Here and below not IN: for each row SQLite would make a temporary table of a longer list.
    source TEXT NOT NULL CONSTRAINT source_kind CHECK (
        source = 'overage' OR source = 'allowance' OR source = 'package' OR source = 'resource_package'
        OR source = 'free' OR source = 'forfeit' OR source = 'purchase' OR source = 'refund' OR source = 'adjustment'),
    grant_id INTEGER REFERENCES "grant",
    tier INTEGER,
    quantity INTEGER NOT NULL,
    amount_micros INTEGER NOT NULL,
    price_version INTEGER REFERENCES price_book_version,
    run_id INTEGER REFERENCES rating_run,
    -- No control characters: the hashed text has a line per column.
    reason TEXT CONSTRAINT reason_is_one_line CHECK (instr(reason, char(10)) = 0),
    created_at TEXT NOT NULL,
    hash BLOB NOT NULL CONSTRAINT hash_length CHECK (length(hash) = 32),
    CONSTRAINT usage_precedes_posting CHECK (usage_day <= posted_day),
    CONSTRAINT only_usage_has_quantity CHECK (
        quantity = 0 OR NOT (source = 'purchase' OR source = 'refund' OR source = 'adjustment')),
    CONSTRAINT only_prices_have_amounts CHECK (
        amount_micros = 0 OR source = 'overage' OR source = 'allowance' OR source = 'purchase' OR source = 'refund'
        OR source = 'adjustment')
) STRICT;

CREATE INDEX ledger_entry_by_bill ON ledger_entry (posted_day, tenant_id);

CREATE INDEX ledger_entry_by_tenant ON ledger_entry (tenant_id, posted_day);

CREATE TRIGGER ledger_entry_is_final BEFORE UPDATE ON ledger_entry
BEGIN
    SELECT raise(ABORT, 'the ledger is append-only');
END;

CREATE TRIGGER ledger_entry_stays BEFORE DELETE ON ledger_entry
BEGIN
    SELECT raise(ABORT, 'the ledger is append-only');
END;

-- INSERT OR REPLACE deletes without firing delete triggers; that an entry is the successor of the last rules it out.
CREATE TRIGGER ledger_entry_succeeds BEFORE INSERT ON ledger_entry
WHEN NEW.entry_id IS NOT (SELECT coalesce(max(entry_id), 0) + 1 FROM ledger_entry)
BEGIN
    SELECT raise(ABORT, 'the ledger is append-only');
END;

-- Running sums of the entries of a tenant's usage month: where rating carries on, and what grants have given. Brought up
-- in the transaction that appends entries, once for all of them: a trigger would do it entry by entry.
-- 0 stands for no grant, tier or version, since a key column may not be NULL.
CREATE TABLE rated_total (
    tenant_id INTEGER NOT NULL,
    item_id INTEGER NOT NULL,
    month INTEGER NOT NULL,
    source TEXT NOT NULL,
    grant_id INTEGER NOT NULL,
    tier INTEGER NOT NULL,
    price_version INTEGER NOT NULL,
    quantity INTEGER NOT NULL,
    amount_micros INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, item_id, month, source, grant_id, tier, price_version)
) STRICT, WITHOUT ROWID;

CREATE INDEX rated_total_by_grant ON rated_total (grant_id, item_id, month) WHERE grant_id <> 0;

-- Rating reads the totals of the months that it rates, however many months the ledger has.
CREATE INDEX rated_total_by_month ON rated_total (month);

-- Refused events that could be read, for an operator to retry or drop.
CREATE TABLE quarantine (
    -- Never used again: a number from an old listing must not drop another event.
    quarantine_id INTEGER PRIMARY KEY AUTOINCREMENT,
    arrived_at INTEGER NOT NULL,
    code TEXT NOT NULL,
    reason TEXT NOT NULL,
    source TEXT,
    id TEXT,
    -- The event as it came, and the digest by which a repeated one is recognised.
    event BLOB NOT NULL,
    digest BLOB NOT NULL UNIQUE
) STRICT;

CREATE TABLE outcome_counter (
    arrival_day INTEGER NOT NULL,
    outcome TEXT NOT NULL CONSTRAINT outcome_kind CHECK (outcome IN ('received', 'accepted', 'duplicate', 'correction', 'refused')),
    -- The refusal code, or empty.
    code TEXT NOT NULL,
    events INTEGER NOT NULL,
    PRIMARY KEY (arrival_day, outcome, code)
) STRICT, WITHOUT ROWID;
