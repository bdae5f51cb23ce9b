-- The public names: what people and other programs read. Days are text, codes stand for ids.

-- The instant that statuses are computed for: the system's clock, or a test clock's latest recorded instant.
CREATE VIEW clock (instant) AS
SELECT CASE
    WHEN ledger_property.test_clock = 1 AND ledger_state.latest_instant IS NOT NULL THEN ledger_state.latest_instant
    ELSE CAST(strftime('%s', 'now') AS INTEGER) * 1000000
END
FROM ledger_property, ledger_state;

-- The local date of the clock, from the stored day starts. Behind the last one stored, days are taken as 24 hours long
-- (after a grace of two hours, for days that have 25): good enough for a status, and nothing else reads it.
CREATE VIEW clock_day (today) AS
SELECT day + max(0, (clock.instant - starts_at - 7200000000) / 86400000000)
FROM day_start, clock
WHERE starts_at = (SELECT max(starts_at) FROM day_start WHERE starts_at <= clock.instant);

CREATE VIEW ledger (
    entry_id, posted_day, usage_day, tenant, app, item, source, grant_code, tier, quantity, amount_micros, currency,
    price_version, run_id, reason, created_at, prev_hash, hash
) AS
SELECT
    entry.entry_id, date(entry.posted_day * 86400, 'unixepoch'), date(entry.usage_day * 86400, 'unixepoch'),
    tenant.code, app.code, item.code, entry.source, "grant".code, entry.tier, entry.quantity, entry.amount_micros,
    (SELECT currency FROM ledger_property), entry.price_version, entry.run_id, entry.reason, entry.created_at,
    -- hex of NULL is the empty text.
    CASE
        WHEN before.hash IS NULL THEN '0000000000000000000000000000000000000000000000000000000000000000'
        ELSE lower(hex(before.hash))
    END,
    lower(hex(entry.hash))
FROM ledger_entry AS entry
JOIN tenant USING (tenant_id)
LEFT JOIN app ON app.app_id = entry.app_id
LEFT JOIN item ON item.item_id = entry.item_id
LEFT JOIN "grant" ON "grant".grant_id = entry.grant_id
LEFT JOIN ledger_entry AS before ON before.entry_id = entry.entry_id - 1;

CREATE VIEW usage_daily (tenant, app, item, usage_day, posted_day, quantity, active_devices) AS
SELECT
    tenant.code, app.code, item.code, date(usage_day * 86400, 'unixepoch'), date(posting_day * 86400, 'unixepoch'),
    quantity, active_devices
FROM usage_counter
JOIN app USING (app_id)
JOIN tenant USING (tenant_id)
JOIN item USING (item_id)
WHERE quantity <> 0 OR active_devices <> 0;

CREATE VIEW mau (tenant, app, item, month, devices) AS
SELECT
    tenant.code, app.code, item.code, strftime('%Y-%m', usage_day * 86400, 'unixepoch') AS month, sum(quantity)
FROM usage_counter
JOIN app USING (app_id)
JOIN tenant USING (tenant_id)
JOIN item USING (item_id)
WHERE item.aggregation = 'unique_devices'
GROUP BY app_id, item_id, month
HAVING sum(quantity) <> 0;

-- The devices behind the quantities: the sealed ones, and of the open days the net of their touches.
CREATE VIEW counted_place (device_id, item_id, usage_day, posting_day) AS
SELECT device_id, item_id, usage_day, posting_day
FROM sealed_device
UNION ALL
SELECT touch.device_id, touch.item_id, touch.usage_day, touch.touch_id >> 40
FROM touch, seal_progress
WHERE touch.counts <> 0
    -- Touches that are sealed already wait here to be cleared away.
    AND touch.touch_id >> 40 > coalesce(seal_progress.sealed_through, -1)
    AND NOT (
        touch.touch_id >> 40 = coalesce(seal_progress.posting_day, -1)
        AND (
            CAST(strftime('%Y', touch.usage_day * 86400, 'unixepoch') AS INTEGER) * 12
                + CAST(strftime('%m', touch.usage_day * 86400, 'unixepoch') AS INTEGER) - 1,
            touch.item_id, touch.device_id
        ) <= (seal_progress.month, seal_progress.item_id, seal_progress.device_id))
GROUP BY touch.device_id, touch.item_id, touch.usage_day, touch.touch_id >> 40
HAVING sum(touch.counts) > 0;

CREATE VIEW counted_device (tenant, app, item, month, usage_day, posted_day, device) AS
SELECT
    tenant.code, app.code, item.code, strftime('%Y-%m', place.usage_day * 86400, 'unixepoch'),
    date(place.usage_day * 86400, 'unixepoch'), date(place.posting_day * 86400, 'unixepoch'),
    coalesce(
        device.name, new_device.name, 'erased:' || lower(hex(coalesce(device.fingerprint, new_device.fingerprint))))
FROM counted_place AS place
LEFT JOIN device ON device.device_id = place.device_id
LEFT JOIN new_device ON new_device.device_id = place.device_id
JOIN app ON app.app_id = place.device_id >> 32
JOIN tenant USING (tenant_id)
JOIN item USING (item_id);

CREATE VIEW usage_event (arrival_day, source, id, tenant, app, item, time, quantity) AS
SELECT
    date((record.record_id >> 40) * 86400, 'unixepoch'), record.source, record.id, tenant.code, app.code, item.code,
    strftime('%Y-%m-%dT%H:%M:%S', record.time / 1000000, 'unixepoch')
        || CASE WHEN record.time % 1000000 = 0 THEN '' ELSE rtrim(printf('.%06d', record.time % 1000000), '0') END
        || 'Z',
    record.quantity
FROM usage_record AS record
JOIN app USING (app_id)
JOIN tenant USING (tenant_id)
JOIN feed_item USING (feed_id)
JOIN item USING (item_id);

CREATE VIEW grant_balance (
    tenant, grant_code, offer, item, month, granted, consumed, remaining, effective_day, end_day, status
) AS
WITH RECURSIVE
-- A package has its quota in each calendar month of its life; a resource package one for its life, month 0.
quota (grant_id, item_id, month, granted, last_month) AS (
    SELECT
        grant_item.grant_id, grant_item.item_id,
        CASE WHEN offer = 'mini_program_package' THEN
            CAST(strftime('%Y', effective_day * 86400, 'unixepoch') AS INTEGER) * 12
                + CAST(strftime('%m', effective_day * 86400, 'unixepoch') AS INTEGER) - 1
        ELSE 0 END,
        granted,
        CASE WHEN offer = 'mini_program_package' THEN
            CAST(strftime('%Y', (end_day - 1) * 86400, 'unixepoch') AS INTEGER) * 12
                + CAST(strftime('%m', (end_day - 1) * 86400, 'unixepoch') AS INTEGER) - 1
        ELSE 0 END
    FROM grant_item
    JOIN "grant" USING (grant_id)
    UNION ALL
    SELECT grant_id, item_id, month + 1, granted, last_month FROM quota WHERE month < last_month
),
balance AS (
    SELECT
        grant_id, item_id, month, granted,
        coalesce((
            SELECT sum(quantity) FROM rated_total
            WHERE rated_total.grant_id = quota.grant_id AND rated_total.item_id = quota.item_id
                AND (quota.month = 0 OR rated_total.month = quota.month) AND source <> 'forfeit'
                AND rated_total.grant_id <> 0), 0) AS consumed,
        coalesce((
            SELECT sum(quantity) FROM rated_total
            WHERE rated_total.grant_id = quota.grant_id AND rated_total.item_id = quota.item_id
                AND source = 'forfeit' AND rated_total.grant_id <> 0), 0) AS forfeited
    FROM quota
    UNION ALL
    SELECT grant_id, item_id, 0, NULL, NULL, NULL FROM "grant" WHERE offer = 'subscription'
)
SELECT
    tenant.code, "grant".code, "grant".offer, item.code,
    CASE WHEN month <> 0 THEN printf('%04d-%02d', month / 12, month % 12 + 1) END,
    granted, consumed, granted - consumed - forfeited,
    date(effective_day * 86400, 'unixepoch'), date(end_day * 86400, 'unixepoch'),
    CASE
        WHEN voided_at IS NOT NULL THEN 'voided'
        WHEN clock_day.today < effective_day THEN 'pending'
        WHEN clock_day.today >= end_day THEN 'ended'
        WHEN month = 0 AND granted = consumed THEN 'used_up'
        ELSE 'active'
    END
FROM balance
JOIN "grant" USING (grant_id)
JOIN tenant USING (tenant_id)
JOIN item ON item.item_id = balance.item_id
LEFT JOIN clock_day;

-- A bill for each tenant and posting day with entries or usage. Prices paid and refunded are shown in the ledger but
-- are no part of a bill. What is payable of a day is the month's sum cut down to the minor unit, after minus before.
CREATE VIEW bill (
    tenant, day, status, amount_micros, payable_micros, currency, due_day, reference_app
) AS
WITH
part (tenant_id, day, amount_micros) AS (
    SELECT
        tenant_id, posted_day, sum(CASE WHEN source IN ('purchase', 'refund') THEN 0 ELSE amount_micros END)
    FROM ledger_entry
    GROUP BY tenant_id, posted_day
    UNION ALL
    SELECT tenant_id, posting_day, 0
    FROM usage_counter
    JOIN app USING (app_id)
    WHERE quantity <> 0
    GROUP BY tenant_id, posting_day
),
daily AS (
    SELECT tenant_id, day, sum(amount_micros) AS amount_micros FROM part GROUP BY tenant_id, day
),
cumulative AS (
    SELECT
        tenant_id, day, amount_micros,
        sum(amount_micros) OVER (
            PARTITION BY tenant_id, strftime('%Y-%m', day * 86400, 'unixepoch') ORDER BY day
            ROWS UNBOUNDED PRECEDING) AS month_micros
    FROM daily
)
SELECT
    tenant.code, date(cumulative.day * 86400, 'unixepoch'),
    CASE
        WHEN settled_on IS NOT NULL THEN 'final'
        WHEN cumulative.day + final_after_days <= clock_day.today THEN 'unrated'
        ELSE 'draft'
    END,
    amount_micros,
    month_micros / minor_unit_micros * minor_unit_micros
        - (month_micros - amount_micros) / minor_unit_micros * minor_unit_micros,
    currency,
    -- Days are counted from the later of finality and settlement; NULL until it is settled.
    date((max(cumulative.day + final_after_days, settled_on) + payment_term_days) * 86400, 'unixepoch'),
    (
        SELECT app.code
        FROM ledger_entry AS entry
        JOIN app USING (app_id)
        WHERE entry.tenant_id = cumulative.tenant_id AND entry.posted_day = cumulative.day
            AND entry.source IN ('allowance', 'package', 'resource_package', 'overage', 'free')
        GROUP BY entry.app_id
        ORDER BY sum(entry.amount_micros) DESC, app.code
        LIMIT 1
    )
FROM cumulative
JOIN tenant USING (tenant_id)
JOIN ledger_property
LEFT JOIN clock_day
LEFT JOIN settled_day ON settled_day.day = cumulative.day;

CREATE VIEW statement (
    tenant, month, status, amount_micros, payable_micros, remainder_micros, currency
) AS
WITH monthly AS (
    SELECT
        tenant, substr(day, 1, 7) AS month, sum(amount_micros) AS amount_micros,
        sum(payable_micros) AS payable_micros, currency,
        unixepoch(substr(day, 1, 7) || '-01', '+1 month', '-1 day') / 86400 AS last_day
    FROM bill
    GROUP BY tenant, substr(day, 1, 7)
)
SELECT
    tenant, month,
    CASE
        WHEN last_day <= settled_through THEN 'final'
        WHEN last_day + final_after_days <= clock_day.today THEN 'unrated'
        ELSE 'draft'
    END,
    amount_micros, payable_micros, amount_micros - payable_micros, monthly.currency
FROM monthly
JOIN ledger_property
JOIN ledger_state
LEFT JOIN clock_day;
