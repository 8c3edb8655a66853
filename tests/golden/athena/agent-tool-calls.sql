-- duckdb
SELECT
  identity,
  credential,
  service,
  operation,
  outcome,
  COUNT(*) AS records,
  MIN(time) AS first_seen,
  MAX(time) AS last_seen,
  MIN(uid) AS example_uid
FROM events
WHERE
  is_agentic OR base_phase = 'Agent Action'
GROUP BY
  identity,
  credential,
  service,
  operation,
  outcome
ORDER BY
  records DESC,
  first_seen
LIMIT 500

-- athena
SELECT
  identity,
  credential,
  service,
  operation,
  outcome,
  COUNT(*) AS records,
  MIN(time) AS first_seen,
  MAX(time) AS last_seen,
  MIN(uid) AS example_uid
FROM events
WHERE
  is_agentic OR base_phase = 'Agent Action'
GROUP BY
  identity,
  credential,
  service,
  operation,
  outcome
ORDER BY
  records DESC,
  first_seen
LIMIT 500
