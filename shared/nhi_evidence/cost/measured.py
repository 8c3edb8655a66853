"""The figures behind the arithmetic that no price list has, each with its origin.

A figure changes here when it is measured again, and nowhere else.
"""

from __future__ import annotations

# --- Measured ------------------------------------------------------------------------------------

RECORD_BYTES = 180
"""Stored bytes of a kept record, its share of the table included: zstd level 6, a batch of hundreds
of files. Measured 156 of generated records and 187 of the few hundred real ones there are.
`python -m tests.bench.stored`."""

LINE_BYTES = 3_700
"""Bytes of its line before compression. `python -m tests.bench.stored`."""

CPU_SECONDS_A_RECORD = 75e-6
"""Processor time from the delivered bytes to the locked body. `python -m tests.bench.stored`."""

DIGEST_BYTES = 740
"""Stored bytes of a CloudTrail digest file that names no file, with its unit line: hashes and
signature, which do not compress. `tests/unit/test_cost.py`."""

NAMED_FILE_BYTES = 57
"""Stored bytes of each file a digest names. `tests/unit/test_cost.py`."""

LEAF_BYTES = 600
"""Bytes of a leaf in its entry bundle, with its hash in a tile. `tests/unit/test_cost.py`."""

PLAN_ENTRY_BYTES = 95
"""Stored bytes of a leaf in a plan. `tests/unit/test_cost.py`."""

FORWARDED_BYTES = 205
"""Bytes of a record as a subscriber gets it, compressed. `python -m tests.bench.forwarding`."""

FORWARD_SECONDS_A_RECORD = 50e-6
"""Processor time from the stored object to the lines. `python -m tests.bench.forwarding`."""

WEIGH_SECONDS_A_UNIT = 6e-6
"""Processor time for each unit of a table that is read for canaries: of every object locked in an
hour. `python -m tests.bench.clocked`."""

WEIGH_SECONDS_A_RECORD = 8e-6
"""Processor time for each record of an object that is opened for canaries.
`python -m tests.bench.clocked`."""

# --- Counted from what is deployed ---------------------------------------------------------------

BATCH_FILES = 500
BATCH_SECONDS = 120
"""A batch closes at this many messages or after this long (functions/aws_export/deploy.toml)."""

EXPORTER_MEGABYTES = 2_048
"""Memory of the exporter, paid for while it runs (functions/aws_export/deploy.toml)."""

SEAL_SECONDS = 300
"""Between two runs of the sealer (functions/seal/deploy.toml)."""

SEALER_MEGABYTES = 1_024
"""Memory of the sealer (functions/seal/deploy.toml)."""

EXPORTER_ALARM_METRICS = 14
BUCKET_ALARM_METRICS = 44
COMPOSITE_ALARMS = 8
DASHBOARDS = 2
"""In the synthesized templates, with what reconciles and reads settings
(`tests/infra/aws/test_cost.py`)."""

REPLICA_ALARM_METRICS = 3
REPLICA_DASHBOARDS = 1
"""Of replication, in the templates; the dashboard is in the replica's region
(`tests/infra/aws/test_cost.py`)."""
REPLICATION_METRICS = 4
"""What S3 publishes of a rule, charged like custom metrics:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/repl-metrics.html"""

FORWARD_ALARM_METRICS = 10
FORWARD_METRICS = 7
"""Of the forwarding function and its alarms, plus a composite alarm
(`tests/infra/aws/test_cost.py`)."""

CANARY_ALARM_METRICS = 5
CANARY_METRICS = 7
"""Of the probing function, two of the reconciling one, and the alarms of both, plus a composite
alarm (`tests/infra/aws/test_cost.py`)."""

CANARY_MEGABYTES = 512
"""Memory of the function that probes (functions/canary/deploy.toml)."""

CANARY_HOURS = 1.5625
"""Hours of evidence read for an hour of AWS canaries, on average over a day: until the last record
is due (`tests/unit/test_cost.py`)."""

RECONCILER_MEGABYTES = 2_048
"""Memory of the function that weighs canaries (functions/reconcile/deploy.toml)."""

COLLECTOR_MEGABYTES = 1_024
"""Memory of the function that reads settings (functions/coverage/deploy.toml)."""

COLLECTOR_PUTS = 5
"""Objects put by its run: a reading, three promises of heartbeats, and verdicts
(`python -m tests.bench.clocked`)."""

COLLECTOR_CALLS = 91
"""Read calls of an account with 17 regions and a trail; each cluster, gateway and further trail
adds some. They cost nothing but time. `python -m tests.bench.clocked`."""

PLANS_AHEAD = 3
"""Hours whose plan each run puts; two of them exist already
(`nhi_evidence.adapters.aws.canary.HOURS_AHEAD`)."""

SUBSCRIBER_DAYS = 30
"""How long lines are kept unless the configuration says otherwise."""

CUSTOM_METRICS = 51
"""Of exporter (12) and sealer (20), of signatures (3), and S3's request metrics (16)."""

LOG_OBJECTS_AN_EPOCH = 6
"""Plan, checkpoint, and the partial tiles and bundles."""

LEAVES_A_BUNDLE = 256
"""Leaves of a full entry bundle (https://c2sp.org/tlog-tiles)."""

# --- Taken from the provider's documentation -----------------------------------------------------

FILES_A_DAY = 288
"""CloudTrail files of one account and region with activity: one about every five minutes.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html"""

DIGESTS_A_DAY = 24
"""Digest files of one account and region, with or without activity: one an hour.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html"""

POLLERS = 5
"""Processes that Lambda starts polling a queue with; each collects its own batch.
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html"""

MESSAGES_A_CALL = 10
"""Maximum messages in one ReceiveMessage or DeleteMessageBatch.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html"""

POLL_SECONDS = 20
"""Seconds between the requests of an idle poller (long polling)."""

KEYS_A_PAGE = 1_000
"""Maximum versions in one listing.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html"""

SMALLEST_TRANSITION = 128 * 1024
"""By default S3 moves no smaller object to another class.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html"""

ARCHIVE_MINIMUM_DAYS = 90
"""Minimum number of days that Glacier Instant Retrieval bills."""

CPU_MEGABYTES = 1_769
"""Memory at which a Lambda function has one full processor; with less, a share of it.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"""

# --- Assumed -------------------------------------------------------------------------------------

LARGEST_OBJECT_LINES = 128 << 20
"""Bytes of lines at which an object is closed and the next is opened."""

TWO_HOURS_SHARE = 0.25
"""Share of batches with files of two source hours, and so one more object: CloudTrail delivers
within about fifteen minutes, a quarter of an hour."""

WAIT_SECONDS = 0.5
"""Time per batch that an exporter waits for the network without working."""

SEAL_RUN_SECONDS = 10
"""The same, per run of the sealer."""

CANARY_SECONDS = 8
"""The same, per account and run of the probing function: fifteen clients and calls."""

CALL_SECONDS = 0.15
"""The same, per call that reads a setting; they are made one after the other."""

LOG_LINE_BYTES = 1_000
"""Bytes of a line in a function's log: the function writes one per object, Lambda some per run."""
