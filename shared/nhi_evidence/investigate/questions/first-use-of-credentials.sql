-- The first record of each credential: when, where from, and what it did.
-- A first act shows who tried a credential; one used before the evidence begins had an earlier first use.
SELECT credential, credential_kind, identity, time AS first_seen, ip, user_agent, service,
       operation, outcome, base_phase, uid
FROM (
  SELECT credential, credential_kind, identity, time, ip, user_agent, service, operation, outcome,
         base_phase, uid, row_number() OVER (PARTITION BY credential ORDER BY time, uid) AS place
  FROM events
  WHERE credential IS NOT NULL
) AS ordered
WHERE place = 1
ORDER BY first_seen DESC
LIMIT 500
