"""What the arithmetic stands on that no price list says: measured, counted or taken, each with how.

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
"""Of one processor, from the delivered bytes to the locked body. `python -m tests.bench.stored`."""

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
"""Of one processor, from the stored object to the lines. `python -m tests.bench.forwarding`."""

WEIGH_SECONDS_A_UNIT = 6e-6
"""Of one processor, of a table that is read for canaries: of every object locked in an hour's
time. `python -m tests.bench.clocked`."""

WEIGH_SECONDS_A_RECORD = 8e-6
"""Of one processor, of an object that is opened for canaries. `python -m tests.bench.clocked`."""

# --- Counted from what is deployed ---------------------------------------------------------------

BATCH_FILES = 500
BATCH_SECONDS = 120
"""A batch closes at so many messages or after so long (functions/aws_export/deploy.toml)."""

EXPORTER_MEGABYTES = 2_048
"""Memory of the exporter, paid for while it runs (functions/aws_export/deploy.toml)."""

SEAL_SECONDS = 300
"""Between two runs of the sealer (functions/seal/deploy.toml)."""

SEALER_MEGABYTES = 1_024
"""Memory of the sealer (functions/seal/deploy.toml)."""

EXPORTER_ALARM_METRICS = 14
BUCKET_ALARM_METRICS = 33
COMPOSITE_ALARMS = 7
DASHBOARDS = 2
"""In the synthesized templates, with what reconciles and reads settings
(`tests/infra/aws/test_cost.py`)."""

FORWARD_ALARM_METRICS = 8
FORWARD_METRICS = 7
"""Of the function that forwards, and what watches it (`tests/infra/aws/test_cost.py`)."""

CANARY_ALARM_METRICS = 5
CANARY_METRICS = 7
"""Of the function that probes, two of the one that reconciles, and what watches both, a composite
alarm besides
(`tests/infra/aws/test_cost.py`)."""

CANARY_MEGABYTES = 512
"""Memory of the function that probes (functions/canary/deploy.toml)."""

CANARY_HOURS = 1.5625
"""Hours of evidence that are read for an hour of canaries of AWS, on average over a day: until the
last record is due (`tests/unit/test_cost.py`)."""

RECONCILER_MEGABYTES = 2_048
"""Memory of the function that weighs them (functions/reconcile/deploy.toml)."""

COLLECTOR_MEGABYTES = 1_024
"""Memory of the function that reads settings (functions/coverage/deploy.toml)."""

COLLECTOR_PUTS = 5
"""Of its run: a reading, three promises of heartbeats, and verdicts
(`python -m tests.bench.clocked`)."""

COLLECTOR_CALLS = 91
"""Read calls of an account with 17 regions and a trail; each cluster, gateway and further trail
adds some. They cost nothing but time. `python -m tests.bench.clocked`."""

PLANS_AHEAD = 3
"""Hours whose plan each run puts; two of them are there already
(`nhi_evidence.adapters.aws.canary.HOURS_AHEAD`)."""

SUBSCRIBER_DAYS = 30
"""How long lines are kept where the configuration says nothing else."""

CUSTOM_METRICS = 48
"""Of exporter (12) and sealer (17), of signatures (3), and S3's request metrics (16)."""

LOG_OBJECTS_AN_EPOCH = 6
"""Plan, checkpoint, and the tiles and bundles that are begun."""

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
"""Processes that Lambda begins to poll a queue with; each collects a batch of its own.
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html"""

MESSAGES_A_CALL = 10
"""Most messages of one ReceiveMessage or DeleteMessageBatch.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html"""

POLL_SECONDS = 20
"""An idle poller asks once in so long (long polling)."""

KEYS_A_PAGE = 1_000
"""Most versions of one listing.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html"""

SMALLEST_TRANSITION = 128 * 1024
"""S3 moves no smaller object to another class by default.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html"""

ARCHIVE_MINIMUM_DAYS = 90
"""Glacier Instant Retrieval bills so many days at least."""

CPU_MEGABYTES = 1_769
"""Memory at which a Lambda function has one processor; below, a share of it.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"""

# --- Assumed -------------------------------------------------------------------------------------

LARGEST_OBJECT_LINES = 128 << 20
"""Bytes of lines at which an object is closed and the next one opened."""

TWO_HOURS_SHARE = 0.25
"""Share of batches with files of two source hours, and so one object more: CloudTrail delivers
within about fifteen minutes, a quarter of an hour."""

WAIT_SECONDS = 0.5
"""Of a batch: what an exporter waits for the network that it does not work meanwhile."""

SEAL_RUN_SECONDS = 10
"""Of a run of the sealer."""

CANARY_SECONDS = 8
"""Of a run of the function that probes, for each account: fifteen clients and calls."""

CALL_SECONDS = 0.15
"""Of a call that reads a setting; they follow each other."""

LOG_LINE_BYTES = 1_000
"""Of a function's log: for each run what Lambda writes, for each object one line."""
