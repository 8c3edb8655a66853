-- Credentials issued in one account and used in another.
-- Joined by credential id alone: the record that issued it, and the records that used it.
SELECT minted.account AS minted_in, minted.identity AS minted_by, minted.credential AS made_with,
       used.credential, used.account AS used_in, used.identity AS used_as,
       min(used.time) AS first_used, max(used.time) AS last_used, count(*) AS records,
       min(used.uid) AS example_uid
FROM (
  SELECT account, identity, credential, issued_credential
  FROM events CROSS JOIN UNNEST(issued) AS issue(issued_credential)
) AS minted
JOIN events AS used ON used.credential = minted.issued_credential
WHERE used.account <> minted.account
GROUP BY minted.account, minted.identity, minted.credential, used.credential, used.account,
         used.identity
ORDER BY first_used
LIMIT 500
