-- duckdb
SELECT
  refused.identity,
  refused.account,
  refused.service,
  refused.operation,
  MAX(refused.time) AS last_refused,
  MIN(allowed.time) AS first_allowed,
  MIN(refused.uid) AS refused_uid,
  MIN(allowed.uid) AS allowed_uid
FROM events AS refused
JOIN events AS allowed
  ON allowed.identity = refused.identity
  AND allowed.account = refused.account
  AND allowed.service = refused.service
  AND allowed.operation = refused.operation
WHERE
  refused.outcome = 'denied'
  AND allowed.outcome = 'success'
  AND allowed.time > refused.time
GROUP BY
  refused.identity,
  refused.account,
  refused.service,
  refused.operation
ORDER BY
  first_allowed
LIMIT 500

-- athena
SELECT
  refused.identity,
  refused.account,
  refused.service,
  refused.operation,
  MAX(refused.time) AS last_refused,
  MIN(allowed.time) AS first_allowed,
  MIN(refused.uid) AS refused_uid,
  MIN(allowed.uid) AS allowed_uid
FROM events AS refused
JOIN events AS allowed
  ON allowed.identity = refused.identity
  AND allowed.account = refused.account
  AND allowed.service = refused.service
  AND allowed.operation = refused.operation
WHERE
  refused.outcome = 'denied'
  AND allowed.outcome = 'success'
  AND allowed.time > refused.time
GROUP BY
  refused.identity,
  refused.account,
  refused.service,
  refused.operation
ORDER BY
  first_allowed
LIMIT 500
