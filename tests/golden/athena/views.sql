WITH evidence_lines AS (
  SELECT of_source, hour, regexp_extract("$path", '^s3://[^/]+/(.*)$', 1) AS object, line FROM "nhi_evidence_main"."evidence"
  WHERE hour BETWEEN '2026030200' AND '2026030223'
  UNION ALL
  SELECT of_source, hour, regexp_extract("$path", '^s3://[^/]+/(.*)$', 1) AS object, line FROM "nhi_evidence_main"."evidence_of_no_hour"
),
statement_lines AS (
  SELECT hour, regexp_extract("$path", '^s3://[^/]+/(.*)$', 1) AS object, line FROM "nhi_evidence_main"."statements"
  WHERE hour BETWEEN '2026030200' AND '2026030223' AND "$path" LIKE '%.statements.ndjson.zst'
  UNION ALL
  SELECT hour, regexp_extract("$path", '^s3://[^/]+/(.*)$', 1) AS object, line FROM "nhi_evidence_main"."statements_of_no_hour"
  WHERE "$path" LIKE '%.statements.ndjson.zst'
),
stated AS (
  SELECT s.object, h.source, h.hour, h.origin, h.size, s.account, s.region, s.stream, s.verdict,
    s.reasons, s.totals, s.counts
  FROM (
    SELECT object, json_extract_scalar(line, '$.source') AS source,
      json_extract_scalar(line, '$.hour') AS hour,
      json_extract_scalar(line, '$.log.origin') AS origin,
      CAST(json_extract_scalar(line, '$.log.size') AS BIGINT) AS size
    FROM statement_lines WHERE json_extract_scalar(line, '$.k') = 'recon'
  ) AS h
  JOIN (
    SELECT object, coalesce(json_extract_scalar(line, '$.scope.account'), '') AS account,
      coalesce(json_extract_scalar(line, '$.scope.region'), '') AS region,
      coalesce(json_extract_scalar(line, '$.scope.stream'), '') AS stream,
      json_extract_scalar(line, '$.verdict') AS verdict,
      TRY_CAST(json_extract(line, '$.reasons') AS ARRAY(VARCHAR)) AS reasons,
      TRY_CAST(json_extract(line, '$.totals') AS MAP(VARCHAR, BIGINT)) AS totals,
      CAST(json_extract_scalar(line, '$.counts') AS BIGINT) AS counts
    FROM statement_lines WHERE json_extract_scalar(line, '$.k') = 'statement'
  ) AS s ON s.object = h.object
),
standing_statements AS (
  SELECT * FROM (
    SELECT *, row_number() OVER (
      PARTITION BY source, hour, account, region, stream
      ORDER BY origin DESC, size DESC, object DESC) AS place
    FROM stated
  ) AS ordered
  WHERE place = 1
),
counted AS (
  SELECT DISTINCT json_extract_scalar(line, '$.key') AS object,
    json_extract_scalar(line, '$.u') AS unit_id
  FROM statement_lines
  WHERE json_extract_scalar(line, '$.k') = 'counts'
    AND object IN (SELECT object FROM standing_statements WHERE counts > 0)
),
units AS (
  SELECT l.of_source AS source, l.hour, l.unit, l.unit_id, l.part, l.records, l.is_rejection,
    l.object, CAST(NULL AS VARCHAR) AS shard, CAST(NULL AS BIGINT) AS leaf,
    CASE WHEN c.object IS NOT NULL THEN 'counted'
      WHEN h.hour IS NOT NULL THEN 'not_counted'
      ELSE 'not_stated' END AS standing
  FROM (
    SELECT of_source, hour, object, json_extract_scalar(line, '$.u') AS unit_id,
      json_extract_scalar(line, '$.unit') AS unit,
      CAST(json_extract_scalar(line, '$.part') AS BIGINT) AS part,
      CAST(json_extract_scalar(line, '$.records') AS BIGINT) AS records,
      json_extract_scalar(line, '$.kind') = 'rejection' AS is_rejection
    FROM evidence_lines WHERE json_extract_scalar(line, '$.k') = 'unit'
  ) AS l
  LEFT JOIN counted AS c ON c.object = l.object AND c.unit_id = l.unit_id
  LEFT JOIN (
    SELECT DISTINCT source, hour FROM standing_statements WHERE counts > 0
  ) AS h ON h.source = l.of_source AND h.hour = l.hour
),
records AS (
  SELECT of_source, hour, object, json_extract_scalar(line, '$.u') AS unit_id,
    coalesce(TRY_CAST(json_extract_scalar(line, '$.i') AS BIGINT), 0) AS line,
    coalesce(json_extract_scalar(line, '$.s'), of_source) AS pack,
    TRY_CAST(json_extract(line, '$.n') AS ROW("time" BIGINT, "class_uid" BIGINT, "metadata" ROW("product" ROW("vendor_name" VARCHAR), "uid" VARCHAR, "correlation_uid" VARCHAR, "event_code" VARCHAR, "labels" ARRAY(VARCHAR)), "cloud" ROW("provider" VARCHAR, "account" ROW("uid" VARCHAR, "name" VARCHAR), "region" VARCHAR), "api" ROW("operation" VARCHAR, "service" ROW("uid" VARCHAR, "name" VARCHAR)), "nhi" ROW("type" VARCHAR, "decision_rule" VARCHAR, "name" VARCHAR, "uid" VARCHAR, "canonical_uid" VARCHAR, "credential_uid" VARCHAR, "credential_kind" VARCHAR, "issuer" VARCHAR, "subject" VARCHAR, "is_agentic" BOOLEAN, "refinable_by" ARRAY(VARCHAR), "labels" ARRAY(VARCHAR)), "nhi_phase" VARCHAR, "nhi_base_phase" VARCHAR, "nhi_outcome" VARCHAR, "raw_data_hash" ROW("value" VARCHAR), "status_code" VARCHAR, "nhi_sub_phase" VARCHAR, "nhi_phase_rules" ARRAY(VARCHAR), "actor" ROW("invoked_by" VARCHAR), "src_endpoint" ROW("ip" VARCHAR), "http_request" ROW("user_agent" VARCHAR), "resources" ARRAY(ROW("uid" VARCHAR, "name" VARCHAR)), "nhi_delegations" ARRAY(ROW("uid" VARCHAR, "mechanism" VARCHAR, "canonical_uid" VARCHAR, "credential_uid" VARCHAR)), "nhi_issued_credential_uids" ARRAY(VARCHAR), "user" ROW("uid" VARCHAR, "name" VARCHAR), "entity" ROW("uid" VARCHAR, "name" VARCHAR), "group" ROW("uid" VARCHAR, "name" VARCHAR), "databucket" ROW("uid" VARCHAR, "name" VARCHAR, "file" ROW("path" VARCHAR, "uid" VARCHAR, "name" VARCHAR)), "table" ROW("uid" VARCHAR, "name" VARCHAR), "log_name" VARCHAR, "observables" ARRAY(ROW("name" VARCHAR, "value" VARCHAR)), "unmapped" ROW("resources" ARRAY(ROW("uid" VARCHAR, "name" VARCHAR)), "entity" ROW("uid" VARCHAR, "name" VARCHAR), "group" ROW("uid" VARCHAR, "name" VARCHAR), "databucket" ROW("uid" VARCHAR, "name" VARCHAR, "file" ROW("path" VARCHAR, "uid" VARCHAR, "name" VARCHAR)), "table" ROW("uid" VARCHAR, "name" VARCHAR), "file" ROW("path" VARCHAR, "uid" VARCHAR, "name" VARCHAR)))) AS n
  FROM evidence_lines WHERE json_extract(line, '$.n') IS NOT NULL
),
unreadable AS (
  SELECT of_source AS source, hour, object, unit_id, line FROM records
  WHERE n IS NULL OR NOT (n."time" IS NOT NULL AND n."class_uid" IS NOT NULL AND n."metadata" IS NOT NULL AND n."metadata"."product" IS NOT NULL AND n."metadata"."product"."vendor_name" IS NOT NULL AND n."cloud" IS NOT NULL AND n."cloud"."provider" IS NOT NULL AND n."api" IS NOT NULL AND n."api"."operation" IS NOT NULL AND n."api"."service" IS NOT NULL AND n."nhi" IS NOT NULL AND n."nhi"."type" IS NOT NULL AND n."nhi"."decision_rule" IS NOT NULL AND n."nhi_phase" IS NOT NULL AND n."nhi_base_phase" IS NOT NULL AND n."nhi_outcome" IS NOT NULL AND n."raw_data_hash" IS NOT NULL AND n."raw_data_hash"."value" IS NOT NULL)
),
all_events AS (
  SELECT *, standing = 'counted' AND row_number() OVER (
      PARTITION BY standing, provider, account, uid, raw_sha256
      ORDER BY object, unit_id, line) > 1 AS is_repeated
  FROM (
    SELECT TRY(date_add('millisecond', n."time", TIMESTAMP '1970-01-01 00:00:00.000')) AS time,
    pack AS source,
    n."cloud"."provider" AS provider,
    n."cloud"."account"."uid" AS account,
    n."cloud"."region" AS region,
    n."metadata"."uid" AS uid,
    n."metadata"."correlation_uid" AS correlation_uid,
    n."api"."service"."name" AS service,
    n."api"."operation" AS operation,
    n."metadata"."event_code" AS event_code,
    n."class_uid" AS class_uid,
    n."nhi_phase" AS phase,
    n."nhi_base_phase" AS base_phase,
    n."nhi_sub_phase" AS sub_phase,
    coalesce(n."nhi_phase_rules", CAST(ARRAY[] AS ARRAY(VARCHAR))) AS phase_rules,
    n."nhi_outcome" AS outcome,
    n."status_code" AS status_code,
    coalesce(n."nhi"."canonical_uid", n."nhi"."uid") AS identity,
    n."nhi"."uid" AS identity_uid,
    n."nhi"."name" AS identity_name,
    n."nhi"."type" AS identity_type,
    n."nhi"."issuer" AS issuer,
    n."nhi"."subject" AS subject,
    n."nhi"."credential_uid" AS credential,
    n."nhi"."credential_kind" AS credential_kind,
    n."nhi"."decision_rule" AS decision_rule,
    coalesce(n."nhi"."refinable_by", CAST(ARRAY[] AS ARRAY(VARCHAR))) AS refinable_by,
    coalesce(n."nhi_issued_credential_uids", CAST(ARRAY[] AS ARRAY(VARCHAR))) AS issued,
    filter(transform(coalesce(n."nhi_delegations", ARRAY[]), x -> coalesce(x."canonical_uid", x."uid")), x -> x IS NOT NULL) AS hops,
    concat(filter(transform(coalesce(n."nhi_delegations", ARRAY[]), x -> x."credential_uid"), x -> x IS NOT NULL), transform(filter(coalesce(n."nhi"."labels", ARRAY[]), x -> starts_with(x, 'api_key:') OR starts_with(x, 'key:') OR starts_with(x, 'token_id:')), x -> substr(x, strpos(x, ':') + 1))) AS hop_credentials,
    filter(transform(coalesce(n."nhi_delegations", ARRAY[]), x -> x."mechanism"), x -> x IS NOT NULL) AS mechanisms,
    n."nhi"."is_agentic" AS is_agentic,
    n."actor"."invoked_by" AS invoked_by,
    CASE WHEN n."src_endpoint" IS NOT NULL THEN n."src_endpoint"."ip" ELSE element_at(filter(n."observables", x -> x."name" = 'src_endpoint.ip'), 1)."value" END AS ip,
    CASE WHEN n."http_request" IS NOT NULL THEN n."http_request"."user_agent" ELSE element_at(filter(n."observables", x -> x."name" = 'http_request.user_agent'), 1)."value" END AS user_agent,
    array_distinct(concat(filter(transform(coalesce(n."resources", ARRAY[]), x -> coalesce(x."uid", x."name")), x -> x IS NOT NULL), filter(ARRAY[coalesce(n."databucket"."uid", n."databucket"."name"), coalesce(n."table"."uid", n."table"."name"), coalesce(n."entity"."uid", n."entity"."name"), coalesce(n."group"."uid", n."group"."name"), coalesce(n."databucket"."file"."uid", n."databucket"."file"."path", n."databucket"."file"."name")], x -> x IS NOT NULL), filter(transform(coalesce(n."unmapped"."resources", ARRAY[]), x -> coalesce(x."uid", x."name")), x -> x IS NOT NULL), filter(ARRAY[coalesce(n."unmapped"."databucket"."uid", n."unmapped"."databucket"."name"), coalesce(n."unmapped"."table"."uid", n."unmapped"."table"."name"), coalesce(n."unmapped"."entity"."uid", n."unmapped"."entity"."name"), coalesce(n."unmapped"."group"."uid", n."unmapped"."group"."name"), coalesce(n."unmapped"."file"."uid", n."unmapped"."file"."path", n."unmapped"."file"."name"), n."log_name"], x -> x IS NOT NULL))) AS targets,
    filter(transform(coalesce(n."resources", ARRAY[]), x -> CASE WHEN x."uid" IS NOT NULL THEN x."name" END), x -> x IS NOT NULL) AS target_names,
    n."entity"."uid" AS entity,
    coalesce(n."user"."uid", n."user"."name") AS principal,
    coalesce(n."metadata"."labels", CAST(ARRAY[] AS ARRAY(VARCHAR))) AS labels,
    n."raw_data_hash"."value" AS raw_sha256,
    l.object, CAST(NULL AS VARCHAR) AS unit, l.unit_id, l.line, CAST(NULL AS VARCHAR) AS shard,
    CAST(NULL AS BIGINT) AS leaf, l.hour,
    CASE WHEN c.object IS NOT NULL THEN 'counted'
      WHEN h.hour IS NOT NULL THEN 'not_counted'
      ELSE 'not_stated' END AS standing
  FROM records AS l
  LEFT JOIN counted AS c ON c.object = l.object AND c.unit_id = l.unit_id
  LEFT JOIN (
    SELECT DISTINCT source, hour FROM standing_statements WHERE counts > 0
  ) AS h ON h.source = l.of_source AND h.hour = l.hour
  WHERE n."time" IS NOT NULL AND n."class_uid" IS NOT NULL AND n."metadata" IS NOT NULL AND n."metadata"."product" IS NOT NULL AND n."metadata"."product"."vendor_name" IS NOT NULL AND n."cloud" IS NOT NULL AND n."cloud"."provider" IS NOT NULL AND n."api" IS NOT NULL AND n."api"."operation" IS NOT NULL AND n."api"."service" IS NOT NULL AND n."nhi" IS NOT NULL AND n."nhi"."type" IS NOT NULL AND n."nhi"."decision_rule" IS NOT NULL AND n."nhi_phase" IS NOT NULL AND n."nhi_base_phase" IS NOT NULL AND n."nhi_outcome" IS NOT NULL AND n."raw_data_hash" IS NOT NULL AND n."raw_data_hash"."value" IS NOT NULL
  ) AS read
),
events AS (
  SELECT time, source, provider, account, region, uid, correlation_uid, service, operation, event_code, class_uid, phase, base_phase, sub_phase, phase_rules, outcome, status_code, identity, identity_uid, identity_name, identity_type, issuer, subject, credential, credential_kind, decision_rule, refinable_by, issued, hops, hop_credentials, mechanisms, is_agentic, invoked_by, ip, user_agent, targets, target_names, entity, principal, labels, raw_sha256,
    object, unit, unit_id, line, shard, leaf, hour
  FROM all_events WHERE standing = 'counted' AND NOT is_repeated
),
identities AS (
  SELECT identity, arbitrary(identity_type) AS identity_type, arbitrary(identity_name) AS name,
    arbitrary(provider) AS provider, min(time) AS first_seen, max(time) AS last_seen,
    count(*) AS records, count_if(outcome IN ('denied', 'unauthenticated')) AS refused,
    count(DISTINCT credential) AS credentials, count(DISTINCT ip) AS addresses,
    array_sort(array_agg(DISTINCT phase)) AS phases
  FROM events WHERE identity IS NOT NULL GROUP BY identity
),
findings AS (
  SELECT 'completeness' AS made_by, source, hour, account, region, stream, verdict, code,
    CAST(NULL AS VARCHAR) AS name, CAST(NULL AS VARCHAR) AS detail,
    element_at(totals, code) AS things, object
  FROM standing_statements CROSS JOIN UNNEST(reasons) AS each_reason(code)
  UNION ALL
  SELECT 'completeness', h.source, h.hour, CAST(NULL AS VARCHAR), CAST(NULL AS VARCHAR),
    CAST(NULL AS VARCHAR), CAST(NULL AS VARCHAR), json_extract_scalar(l.line, '$.reason'),
    json_extract_scalar(l.line, '$.name'), json_extract_scalar(l.line, '$.detail'),
    CAST(NULL AS BIGINT), l.object
  FROM statement_lines AS l
  JOIN (SELECT DISTINCT object, source, hour FROM standing_statements) AS h ON h.object = l.object
  WHERE json_extract_scalar(l.line, '$.k') = 'named'
)
SELECT * FROM events
