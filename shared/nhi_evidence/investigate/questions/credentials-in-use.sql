-- Access review: each credential that was used, by whom, and when last.
-- Sort it by last_seen to see which have not been used for long.
SELECT credential, credential_kind, identity, identity_type, count(*) AS records,
       count(DISTINCT ip) AS addresses, min(time) AS first_seen, max(time) AS last_seen,
       min(uid) AS example_uid
FROM events
WHERE credential IS NOT NULL
GROUP BY credential, credential_kind, identity, identity_type
ORDER BY last_seen
LIMIT 1000
