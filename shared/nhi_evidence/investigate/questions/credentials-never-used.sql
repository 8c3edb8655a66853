-- Access review: credentials that were created and never used since, as far as this evidence goes.
-- A credential that is used where nothing is recorded looks the same; `coverage` tells.
SELECT minted.credential AS unused, minted.identity AS made_by, minted.time AS made_at,
       minted.service, minted.operation, minted.account, minted.uid
FROM (
  SELECT issued_credential AS credential, identity, time, service, operation, account,
         uid
  FROM events CROSS JOIN UNNEST(issued) AS issue(issued_credential)
  WHERE base_phase = 'Credential Lifecycle'
) AS minted
LEFT JOIN events AS used ON used.credential = minted.credential
WHERE used.credential IS NULL
ORDER BY made_at
LIMIT 500
