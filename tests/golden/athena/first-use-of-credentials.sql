-- duckdb
SELECT
  credential,
  credential_kind,
  identity,
  time AS first_seen,
  ip,
  user_agent,
  service,
  operation,
  outcome,
  base_phase,
  uid
FROM (
  SELECT
    credential,
    credential_kind,
    identity,
    time,
    ip,
    user_agent,
    service,
    operation,
    outcome,
    base_phase,
    uid,
    ROW_NUMBER() OVER (PARTITION BY credential ORDER BY time, uid) AS place
  FROM events
  WHERE
    NOT credential IS NULL
) AS ordered
WHERE
  place = 1
ORDER BY
  first_seen DESC
LIMIT 500

-- athena
SELECT
  credential,
  credential_kind,
  identity,
  time AS first_seen,
  ip,
  user_agent,
  service,
  operation,
  outcome,
  base_phase,
  uid
FROM (
  SELECT
    credential,
    credential_kind,
    identity,
    time,
    ip,
    user_agent,
    service,
    operation,
    outcome,
    base_phase,
    uid,
    ROW_NUMBER() OVER (PARTITION BY credential ORDER BY time, uid) AS place
  FROM events
  WHERE
    NOT credential IS NULL
) AS ordered
WHERE
  place = 1
ORDER BY
  first_seen DESC
LIMIT 500
