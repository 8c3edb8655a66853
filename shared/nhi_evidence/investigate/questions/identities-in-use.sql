-- Access review: each identity, its kind, credentials and accounts, and when it was last seen.
-- What is not in this list was not recorded here; that is not the same as unused.
SELECT identity, identity_type, count(DISTINCT credential) AS credentials,
       count(DISTINCT account) AS accounts, count(DISTINCT ip) AS addresses, count(*) AS records,
       sum(CASE WHEN outcome IN ('denied', 'unauthenticated') THEN 1 ELSE 0 END) AS refused,
       min(time) AS first_seen, max(time) AS last_seen,
       min(uid) AS example_uid
FROM events
WHERE identity IS NOT NULL
GROUP BY identity, identity_type
ORDER BY last_seen DESC
LIMIT 1000
