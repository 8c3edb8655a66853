-- Operations that were refused and later allowed to the same identity in the same account.
-- Permissions are probed until something opens; the first success after the last refusal is shown.
SELECT refused.identity, refused.account, refused.service, refused.operation,
       max(refused.time) AS last_refused, min(allowed.time) AS first_allowed,
       min(refused.uid) AS refused_uid, min(allowed.uid) AS allowed_uid
FROM events AS refused
JOIN events AS allowed
  ON allowed.identity = refused.identity AND allowed.account = refused.account
  AND allowed.service = refused.service AND allowed.operation = refused.operation
WHERE refused.outcome = 'denied' AND allowed.outcome = 'success' AND allowed.time > refused.time
GROUP BY refused.identity, refused.account, refused.service, refused.operation
ORDER BY first_allowed
LIMIT 500
