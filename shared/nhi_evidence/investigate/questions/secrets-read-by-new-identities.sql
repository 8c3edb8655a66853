-- Secrets read by identities that were first seen less than a day before.
-- New means new to this evidence: an identity may be older than that.
SELECT reads.identity, reads.identity_type, reads.credential, reads.ip, reads.service,
       reads.operation, reads.time, known.first_seen, reads.uid
FROM events AS reads
JOIN (SELECT identity, min(time) AS first_seen FROM events GROUP BY identity) AS known
  ON known.identity = reads.identity
WHERE reads.base_phase = 'Secret Access' AND reads.outcome = 'success'
  AND reads.time < known.first_seen + INTERVAL '1' DAY
ORDER BY reads.time
LIMIT 500
