-- duckdb
SELECT
  credential,
  identity,
  identity_type,
  ip,
  DATE_TRUNC('HOUR', time) AS hour,
  COUNT(*) AS validations,
  COUNT(DISTINCT ip) AS addresses,
  MIN(time) AS first_seen,
  MAX(time) AS last_seen,
  MIN(uid) AS example_uid
FROM events
WHERE
  base_phase = 'Credential Validation'
GROUP BY
  credential,
  identity,
  identity_type,
  ip,
  DATE_TRUNC('HOUR', time)
ORDER BY
  validations DESC,
  first_seen
LIMIT 200

-- athena
SELECT
  credential,
  identity,
  identity_type,
  ip,
  DATE_TRUNC('HOUR', time) AS hour,
  COUNT(*) AS validations,
  COUNT(DISTINCT ip) AS addresses,
  MIN(time) AS first_seen,
  MAX(time) AS last_seen,
  MIN(uid) AS example_uid
FROM events
WHERE
  base_phase = 'Credential Validation'
GROUP BY
  credential,
  identity,
  identity_type,
  ip,
  DATE_TRUNC('HOUR', time)
ORDER BY
  validations DESC,
  first_seen
LIMIT 200
