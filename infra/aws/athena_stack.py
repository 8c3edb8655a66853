"""The evidence account: Athena over one evidence bucket, and the roles auditors query it with."""

from __future__ import annotations

from aws_cdk import aws_athena as athena
from aws_cdk import aws_glue as glue
from constructs import Construct

from infra.aws.planned_role import PlannedRole
from infra.aws.private_bucket import PrivateBucket
from infra.aws.protected_stack import ProtectedStack
from nhi_evidence import config as configuration
from nhi_evidence.config import Config, naming, tables
from nhi_evidence.config.aws import athena_roles
from nhi_evidence.config.aws.buckets import answers_bucket
from nhi_evidence.investigate.athena import plan as plans
from nhi_evidence.investigate.athena import views

_WIDE_REASON = (
    "It reads every evidence object and statement, and writes results under a prefix of its own; "
    "the tables are those of one database."
)


class AthenaStack(ProtectedStack):
    """A database over the objects; for each auditor, a limited workgroup, saved queries, a role.

    The tables describe existing objects: nothing is copied, and nothing here can write evidence.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        config: Config,
        store: configuration.EvidenceBucket,
        table: tables.Athena,
    ) -> None:
        account = config.evidence.account
        super().__init__(
            scope,
            name,
            account=account,
            region=store.region,
            description=f"Athena over {store.bucket}",
        )
        plan = plans.athena(config, store, table)
        answers = PrivateBucket(self, "Answers", plan=answers_bucket(config, store, table))
        self._make_catalog(account, plan)
        for each in plan.workgroups:
            group = self._make_workgroup(account, plan, each)
            group.add_resource_dependency(answers.resource)
            self._make_queries(plan, each, group)
        self._make_roles(config, store, table)

    def _make_catalog(self, account: str, plan: plans.AthenaPlan) -> None:
        database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=account,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=plan.database, description="Evidence as stored: one row per line."
            ),
        )
        for planned in plan.tables:
            table = glue.CfnTable(
                self,
                f"Table-{planned.name}",
                catalog_id=account,
                database_name=plan.database,
                table_input=_table(planned),
            )
            table.add_resource_dependency(database)

    def _make_workgroup(
        self, account: str, plan: plans.AthenaPlan, each: plans.WorkgroupPlan
    ) -> athena.CfnWorkGroup:
        result = athena.CfnWorkGroup.ResultConfigurationProperty(
            output_location=each.output,
            expected_bucket_owner=account,
            encryption_configuration=athena.CfnWorkGroup.EncryptionConfigurationProperty(
                encryption_option="SSE_S3"
            ),
        )
        return athena.CfnWorkGroup(
            self,
            f"Workgroup-{each.auditor}",
            name=each.name,
            description="Queries over evidence; the bytes each may scan are limited.",
            state="ENABLED",
            recursive_delete_option=True,
            work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
                enforce_work_group_configuration=True,
                bytes_scanned_cutoff_per_query=plan.bytes_limit,
                publish_cloud_watch_metrics_enabled=True,
                requester_pays_enabled=False,
                engine_version=athena.CfnWorkGroup.EngineVersionProperty(
                    selected_engine_version=plans.ENGINE
                ),
                result_configuration=result,
            ),
        )

    def _make_queries(
        self, plan: plans.AthenaPlan, each: plans.WorkgroupPlan, group: athena.CfnWorkGroup
    ) -> None:
        for saved in plan.queries:
            query = athena.CfnNamedQuery(
                self,
                f"Query-{each.auditor}-{saved.name}",
                name=saved.name,
                description=saved.description,
                database=plan.database,
                query_string=saved.sql,
                work_group=each.name,
            )
            query.add_resource_dependency(group)

    def _make_roles(
        self, config: Config, store: configuration.EvidenceBucket, table: tables.Athena
    ) -> None:
        bucket = naming.bucket_arn(store.region, store.bucket)
        database = naming.database(store.id)
        wide = [
            *(f"{bucket}/{one}*" for one in athena_roles.ATHENA_READS),
            *athena_roles.catalog_arns(config, store, database)[2:],
        ]
        for auditor, role in athena_roles.athena_askers(config, store):
            answers = naming.bucket_arn(store.region, table.results)
            own = f"{answers}/{athena_roles.answers_prefix(auditor)}*"
            PlannedRole(self, f"Asker-{auditor}", plan=role, wide=[*wide, own], reason=_WIDE_REASON)


def _table(plan: plans.TablePlan) -> glue.CfnTable.TableInputProperty:
    text = glue.CfnTable.ColumnProperty
    return glue.CfnTable.TableInputProperty(
        name=plan.name,
        table_type="EXTERNAL_TABLE",
        parameters=plan.parameters,
        partition_keys=[text(name=key, type="string") for key in plan.keys],
        storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
            location=plan.location,
            columns=[text(name=views.LINE, type="string")],
            input_format=plans.INPUT_FORMAT,
            output_format=plans.OUTPUT_FORMAT,
            serde_info=glue.CfnTable.SerdeInfoProperty(
                serialization_library=plans.SERDE, parameters=plans.SERDE_PARAMETERS
            ),
        ),
    )
