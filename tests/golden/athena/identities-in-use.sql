-- duckdb
SELECT
  identity,
  identity_type,
  COUNT(DISTINCT credential) AS credentials,
  COUNT(DISTINCT account) AS accounts,
  COUNT(DISTINCT ip) AS addresses,
  COUNT(*) AS records,
  SUM(CASE WHEN outcome IN ('denied', 'unauthenticated') THEN 1 ELSE 0 END) AS refused,
  MIN(time) AS first_seen,
  MAX(time) AS last_seen,
  MIN(uid) AS example_uid
FROM events
WHERE
  NOT identity IS NULL
GROUP BY
  identity,
  identity_type
ORDER BY
  last_seen DESC
LIMIT 1000

-- athena
SELECT
  identity,
  identity_type,
  COUNT(DISTINCT credential) AS credentials,
  COUNT(DISTINCT account) AS accounts,
  COUNT(DISTINCT ip) AS addresses,
  COUNT(*) AS records,
  SUM(CASE WHEN outcome IN ('denied', 'unauthenticated') THEN 1 ELSE 0 END) AS refused,
  MIN(time) AS first_seen,
  MAX(time) AS last_seen,
  MIN(uid) AS example_uid
FROM events
WHERE
  NOT identity IS NULL
GROUP BY
  identity,
  identity_type
ORDER BY
  last_seen DESC
LIMIT 1000
