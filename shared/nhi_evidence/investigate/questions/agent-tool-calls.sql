-- What AI agents did: tools listed and called, models invoked, and how often they were refused.
-- Counts records that say an agent acted, and those whose operation is one of an agent.
SELECT identity, credential, service, operation, outcome,
       count(*) AS records, min(time) AS first_seen, max(time) AS last_seen,
       min(uid) AS example_uid
FROM events
WHERE is_agentic OR base_phase = 'Agent Action'
GROUP BY identity, credential, service, operation, outcome
ORDER BY records DESC, first_seen
LIMIT 500
