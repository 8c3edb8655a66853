-- duckdb
SELECT
  credential,
  credential_kind,
  identity,
  identity_type,
  COUNT(*) AS records,
  COUNT(DISTINCT ip) AS addresses,
  MIN(time) AS first_seen,
  MAX(time) AS last_seen,
  MIN(uid) AS example_uid
FROM events
WHERE
  NOT credential IS NULL
GROUP BY
  credential,
  credential_kind,
  identity,
  identity_type
ORDER BY
  last_seen
LIMIT 1000

-- athena
SELECT
  credential,
  credential_kind,
  identity,
  identity_type,
  COUNT(*) AS records,
  COUNT(DISTINCT ip) AS addresses,
  MIN(time) AS first_seen,
  MAX(time) AS last_seen,
  MIN(uid) AS example_uid
FROM events
WHERE
  NOT credential IS NULL
GROUP BY
  credential,
  credential_kind,
  identity,
  identity_type
ORDER BY
  last_seen
LIMIT 1000
