-- The large half, nearly all of it append-only: devices, touches, evidence, call records, counters.

-- The dictionary of device ids. device_id = app_id << 32 | ordinal, ordinals dense per app from 0, so that an app's
-- devices lie together and are read in one range. Those that came last are in new_device.
--
-- Device ids are personal data. Of an erased device the text goes and the keyed fingerprint stays in its place: the
-- device still counts where it counted, and if it returns it does not count twice.
CREATE TABLE device (
    device_id INTEGER PRIMARY KEY,
    name TEXT,
    fingerprint BLOB,
    CONSTRAINT name_or_fingerprint CHECK ((name IS NULL) <> (fingerprint IS NULL))
) STRICT;

-- No CHECK: one that calls a function makes SQLite copy every page that an insertion of several rows changes.
CREATE TRIGGER device_fingerprint_length BEFORE UPDATE OF fingerprint ON device
WHEN length(NEW.fingerprint) <> 16
BEGIN
    SELECT raise(ABORT, 'a fingerprint has 16 bytes');
END;

-- Devices in the order in which they came, until a rating files them in device, where their apps' are: a commit that
-- brings a few devices to each of many apps would rewrite a page for each. No device is in both, and of an app those in
-- device have the smaller ordinals. No index, for the same reason.
CREATE TABLE new_device (
    arrival INTEGER PRIMARY KEY,
    device_id INTEGER NOT NULL,
    name TEXT,
    fingerprint BLOB,
    CONSTRAINT name_or_fingerprint CHECK ((name IS NULL) <> (fingerprint IS NULL))
) STRICT;

CREATE TRIGGER new_device_fingerprint_length BEFORE UPDATE OF fingerprint ON new_device
WHEN length(NEW.fingerprint) <> 16
BEGIN
    SELECT raise(ABORT, 'a fingerprint has 16 bytes');
END;

-- What the open days have newly seen. touch_id = posting_day << 40 | sequence, so that a day's touches lie together.
-- counts is +1 where the device counts from now on, -1 where it no longer does, 0 where it was only active.
-- Repeats leave no touch. Kept until the posting day is settled and sealed.
CREATE TABLE touch (
    touch_id INTEGER PRIMARY KEY,
    item_id INTEGER NOT NULL,
    device_id INTEGER NOT NULL,
    usage_day INTEGER NOT NULL,
    -- Not IN, for which SQLite would make a temporary table for each row.
    counts INTEGER NOT NULL CONSTRAINT counts_sign CHECK (counts BETWEEN -1 AND 1)
) STRICT;

-- The evidence of settled days: each device that counts, once per item and month.
CREATE TABLE sealed_device (
    month INTEGER NOT NULL,
    item_id INTEGER NOT NULL,
    device_id INTEGER NOT NULL,
    usage_day INTEGER NOT NULL,
    posting_day INTEGER NOT NULL,
    PRIMARY KEY (month, item_id, device_id)
) STRICT, WITHOUT ROWID;

-- How far the evidence is sealed. Days through sealed_through are done; posting_day is the one under way (NULL between
-- two), of which the devices through (month, item_id, device_id) stand in sealed_device and no longer in touch's name.
CREATE TABLE seal_progress (
    id INTEGER PRIMARY KEY CONSTRAINT one_row CHECK (id = 1),
    sealed_through INTEGER,
    posting_day INTEGER,
    month INTEGER,
    item_id INTEGER,
    device_id INTEGER
) STRICT;

INSERT INTO seal_progress (id) VALUES (1);

-- Quantities and daily active devices, exact at every commit: what rating and all views read. A day's counters lie
-- together, so that a commit rewrites few pages however many apps it touches, and a rating reads one range.
CREATE TABLE usage_counter (
    posting_day INTEGER NOT NULL,
    app_id INTEGER NOT NULL REFERENCES app,
    item_id INTEGER NOT NULL REFERENCES item,
    usage_day INTEGER NOT NULL,
    quantity INTEGER NOT NULL CONSTRAINT quantity_is_not_negative CHECK (quantity >= 0),
    active_devices INTEGER NOT NULL CONSTRAINT active_devices_is_not_negative CHECK (active_devices >= 0),
    PRIMARY KEY (posting_day, app_id, item_id, usage_day)
) STRICT, WITHOUT ROWID;

-- For who reads the usage of one app. It changes with a counter's first event only.
CREATE INDEX usage_counter_by_app ON usage_counter (app_id, item_id, usage_day);

-- Which items a feature fed when an event of it was stored: decided once, whatever later price books say.
CREATE TABLE feed (
    feed_id INTEGER PRIMARY KEY,
    feature TEXT NOT NULL,
    -- Item ids, ascending, joined by commas: a natural key.
    items TEXT NOT NULL,
    UNIQUE (feature, items)
) STRICT;

CREATE TABLE feed_item (
    feed_id INTEGER NOT NULL REFERENCES feed,
    item_id INTEGER NOT NULL REFERENCES item,
    PRIMARY KEY (feed_id, item_id)
) STRICT, WITHOUT ROWID;

-- Sum events. record_id = arrival_day << 40 | sequence: a day's records lie together, and what is appended comes last.
CREATE TABLE usage_record (
    record_id INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    app_id INTEGER NOT NULL,
    feed_id INTEGER NOT NULL,
    time INTEGER NOT NULL,
    quantity INTEGER NOT NULL,
    usage_day INTEGER NOT NULL,
    posting_day INTEGER NOT NULL
) STRICT;

-- The identities of an arrival day that is over, sorted by the hash of (source, id): a run that is probed, not loaded.
-- The record itself decides whether a hash is the same identity. Dropped when the day's identities are free again.
CREATE TABLE identity_run (
    arrival_day INTEGER NOT NULL,
    hash INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    PRIMARY KEY (arrival_day, hash, sequence)
) STRICT, WITHOUT ROWID;

-- The days whose run is complete, each with the filter that answers most probes for identities it does not hold.
CREATE TABLE identity_run_day (
    arrival_day INTEGER PRIMARY KEY,
    identities INTEGER NOT NULL,
    filter BLOB NOT NULL
) STRICT;
