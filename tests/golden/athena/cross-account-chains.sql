-- duckdb
SELECT
  minted.account AS minted_in,
  minted.identity AS minted_by,
  minted.credential AS made_with,
  used.credential,
  used.account AS used_in,
  used.identity AS used_as,
  MIN(used.time) AS first_used,
  MAX(used.time) AS last_used,
  COUNT(*) AS records,
  MIN(used.uid) AS example_uid
FROM (
  SELECT
    account,
    identity,
    credential,
    issued_credential
  FROM events
  CROSS JOIN UNNEST(issued) AS issue(issued_credential)
) AS minted
JOIN events AS used
  ON used.credential = minted.issued_credential
WHERE
  used.account <> minted.account
GROUP BY
  minted.account,
  minted.identity,
  minted.credential,
  used.credential,
  used.account,
  used.identity
ORDER BY
  first_used
LIMIT 500

-- athena
SELECT
  minted.account AS minted_in,
  minted.identity AS minted_by,
  minted.credential AS made_with,
  used.credential,
  used.account AS used_in,
  used.identity AS used_as,
  MIN(used.time) AS first_used,
  MAX(used.time) AS last_used,
  COUNT(*) AS records,
  MIN(used.uid) AS example_uid
FROM (
  SELECT
    account,
    identity,
    credential,
    issued_credential
  FROM events
  CROSS JOIN UNNEST(issued) AS issue(issued_credential)
) AS minted
JOIN events AS used
  ON used.credential = minted.issued_credential
WHERE
  used.account <> minted.account
GROUP BY
  minted.account,
  minted.identity,
  minted.credential,
  used.credential,
  used.account,
  used.identity
ORDER BY
  first_used
LIMIT 500
