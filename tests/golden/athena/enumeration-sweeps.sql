-- duckdb
SELECT
  identity,
  credential,
  DATE_TRUNC('HOUR', time) AS hour,
  COUNT(DISTINCT operation) AS operations,
  COUNT(DISTINCT service) AS services,
  COUNT(DISTINCT region) AS regions,
  COUNT(DISTINCT account) AS accounts,
  COUNT(*) AS records,
  MIN(time) AS first_seen,
  MAX(time) AS last_seen,
  MIN(uid) AS example_uid
FROM events
WHERE
  base_phase = 'Enumeration'
GROUP BY
  identity,
  credential,
  DATE_TRUNC('HOUR', time)
HAVING
  COUNT(DISTINCT operation) >= 6 AND COUNT(DISTINCT service) >= 3
ORDER BY
  operations DESC,
  first_seen
LIMIT 200

-- athena
SELECT
  identity,
  credential,
  DATE_TRUNC('HOUR', time) AS hour,
  COUNT(DISTINCT operation) AS operations,
  COUNT(DISTINCT service) AS services,
  COUNT(DISTINCT region) AS regions,
  COUNT(DISTINCT account) AS accounts,
  COUNT(*) AS records,
  MIN(time) AS first_seen,
  MAX(time) AS last_seen,
  MIN(uid) AS example_uid
FROM events
WHERE
  base_phase = 'Enumeration'
GROUP BY
  identity,
  credential,
  DATE_TRUNC('HOUR', time)
HAVING
  COUNT(DISTINCT operation) >= 6 AND COUNT(DISTINCT service) >= 3
ORDER BY
  operations DESC,
  first_seen
LIMIT 200
