"""The check of an Entra tenant as an identity provider."""

from __future__ import annotations

from collections.abc import Iterator

from nhi_evidence.adapters.aws.aws_checks import DEPLOY, AwsChecks, Clients
from nhi_evidence.checks import Check
from nhi_evidence.config.aws.web_trust import entra_provider_arn


def provider(
    checks_of: AwsChecks,
    clients: Clients,
    place: tuple[str, str],
    tenant: tuple[str, str],
    *,
    is_shared: bool = False,
) -> Iterator[Check]:
    """Yield the check that an account has a provider for a tenant, with its audience.

    `place` is region and account, `tenant` its id and the audience; a shared provider may have
    other audiences as well.
    """
    region, account = place
    name, audience = tenant
    arn = entra_provider_arn(region, account, name)
    yield from checks_of.compare(
        f"identity provider of tenant {name}",
        lambda: clients.client("iam", region).get_open_id_connect_provider(
            OpenIDConnectProviderArn=arn
        ),
        lambda answer: (
            audience in answer["ClientIDList"]
            if is_shared
            else answer["ClientIDList"] == [audience],
            f"audiences {', '.join(answer['ClientIDList'])}",
        ),
        DEPLOY,
    )
