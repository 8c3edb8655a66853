-- Credentials that were validated, and how often within ten minutes.
-- A leaked key is tried out before it is used: the first call asks whose it is.
SELECT credential, identity, identity_type, ip,
       date_trunc('hour', time) AS hour,
       count(*) AS validations, count(DISTINCT ip) AS addresses,
       min(time) AS first_seen, max(time) AS last_seen,
       min(uid) AS example_uid
FROM events
WHERE base_phase = 'Credential Validation'
GROUP BY credential, identity, identity_type, ip, date_trunc('hour', time)
ORDER BY validations DESC, first_seen
LIMIT 200
