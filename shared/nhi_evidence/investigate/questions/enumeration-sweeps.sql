-- Who listed many different things within an hour, across services and regions.
-- An account is enumerated before anything is touched; W3 starts at six operations in three services.
SELECT identity, credential, date_trunc('hour', time) AS hour,
       count(DISTINCT operation) AS operations, count(DISTINCT service) AS services,
       count(DISTINCT region) AS regions, count(DISTINCT account) AS accounts,
       count(*) AS records, min(time) AS first_seen, max(time) AS last_seen,
       min(uid) AS example_uid
FROM events
WHERE base_phase = 'Enumeration'
GROUP BY identity, credential, date_trunc('hour', time)
HAVING count(DISTINCT operation) >= 6 AND count(DISTINCT service) >= 3
ORDER BY operations DESC, first_seen
LIMIT 200
