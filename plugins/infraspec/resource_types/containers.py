"""Containers: clusters, services, images and what they find each other by."""

from __future__ import annotations

from infraspec.resource_types.listing import Batch, Blocks, Call, Listing, attributes
from infraspec.resource_types.model import REPLACED, Drift, Policy, PolicyKind, ResourceType, words

RESOURCE, SESSION = PolicyKind.RESOURCE, PolicyKind.SESSION

TYPES = (
    ResourceType("aws_appautoscaling_policy", "name", renaming=REPLACED),
    ResourceType("aws_appmesh_mesh", "name"),
    ResourceType("aws_apprunner_connection", "connection_name", tag_types=("apprunner:connection",)),
    ResourceType("aws_apprunner_service", "service_name", tag_types=("apprunner:service",)),
    ResourceType("aws_apprunner_vpc_connector", "vpc_connector_name", tag_types=("apprunner:vpcconnector",)),
    ResourceType("aws_batch_compute_environment", tag_types=("batch:compute-environment",)),
    ResourceType("aws_batch_job_definition", "name", renaming=REPLACED, tag_types=("batch:job-definition",)),
    ResourceType("aws_batch_job_queue", "name", renaming=REPLACED, tag_types=("batch:job-queue",)),
    ResourceType("aws_batch_scheduling_policy", tag_types=("batch:scheduling-policy",)),
    ResourceType("aws_ecr_authorization_token", secrets=words("authorization_token password")),
    ResourceType("aws_ecr_registry_policy", policies=(Policy(RESOURCE, services="ecr"),)),
    ResourceType(
        "aws_ecr_repository",
        "name",
        renaming=REPLACED,
        tag_types=("ecr:repository",),
        stateful=True,
        assigned={
            "arn": "arn:{partition}:ecr:{region}:{account}:repository/{name}",
            "repository_url": "{registry}.dkr.ecr.{region}.{dns_suffix}/{name}",
            "registry_id": "{account}",
            "name": "{name}",
            "id": "{name}",
        },
        found={
            "arn": "arn:{partition}:ecr:{region}:{account}:repository/{name}",
            "repository_url": "{registry}.dkr.ecr.{region}.{dns_suffix}/{name}",
        },
        drift=Drift(("image_tag_mutability",), defaults={"image_tag_mutability": "MUTABLE"}),
        listing=Listing(
            "ecr",
            Call("DescribeRepositories", "repositories"),
            attributes(
                "name=repositoryName arn=repositoryArn id=repositoryName registryId imageTagMutability "
                "repository_url=repositoryUri"
            ),
            tags_call=Call("ListTagsForResource", "tags", {"resourceArn": "arn"}),
        ),
    ),
    ResourceType(
        "aws_ecr_repository_creation_template", policies=(Policy(RESOURCE, "repository_policy", services="ecr"),)
    ),
    ResourceType(
        "aws_ecr_repository_policy",
        identity=("repository",),
        policies=(Policy(RESOURCE, of="repository", owners=("aws_ecr_repository",), services="ecr"),),
        listing=Listing.of_policy(
            "ecr",
            Call(
                "GetRepositoryPolicy",
                "policyText",
                {"repositoryName": "name"},
                absent=("RepositoryPolicyNotFoundException",),
            ),
            "aws_ecr_repository",
            {"repository": "name"},
        ),
    ),
    ResourceType("aws_ecrpublic_authorization_token", secrets=words("authorization_token password")),
    ResourceType("aws_ecrpublic_repository", "repository_name", stateful=True),
    ResourceType(
        "aws_ecrpublic_repository_policy",
        policies=(Policy(RESOURCE, of="repository_name", owners=("aws_ecrpublic_repository",), for_everybody=True),),
    ),
    ResourceType("aws_ecs_capacity_provider", "name", renaming=REPLACED, tag_types=("ecs:capacity-provider",)),
    ResourceType(
        "aws_ecs_cluster",
        "name",
        renaming=REPLACED,
        tag_types=("ecs:cluster",),
        assigned={"arn": "arn:{partition}:ecs:{region}:{account}:cluster/{name}", "id": "{arn}"},
        drift=Drift(),
        listing=Listing(
            "ecs",
            Call("ListClusters", "clusterArns"),
            attributes("name=clusterName arn=clusterArn id=clusterArn", configuration=Blocks("configuration")),
            describe=Batch("DescribeClusters", "clusters", "clusters", 100, {"include": ["TAGS", "CONFIGURATIONS"]}),
            only={"status": ("ACTIVE",)},
            tags="tags",
        ),
    ),
    ResourceType(
        "aws_ecs_service",
        "name",
        identity=words("cluster name"),
        renaming=REPLACED,
        tag_types=("ecs:service",),
        drift=Drift(
            words(
                "task_definition desired_count launch_type enable_execute_command "
                "network_configuration.0.security_groups network_configuration.0.subnets"
            ),
            defaults={"enable_execute_command": False},
        ),
        listing=Listing(
            "ecs",
            Call("ListServices", "serviceArns", {"cluster": "arn"}),
            attributes(
                "id=serviceArn name=serviceName cluster=clusterArn taskDefinition desiredCount launchType "
                "enableExecuteCommand healthCheckGracePeriodSeconds propagateTags",
                alarms=Blocks("deploymentConfiguration.alarms"),
                deployment_circuit_breaker=Blocks("deploymentConfiguration.deploymentCircuitBreaker"),
                deployment_controller=Blocks("deploymentController"),
                load_balancer=Blocks("loadBalancers"),
                network_configuration=Blocks("networkConfiguration.awsvpcConfiguration"),
            ),
            "aws_ecs_cluster",
            describe=Batch("DescribeServices", "services", "services", 10, {"include": ["TAGS"]}),
            only={"status": ("ACTIVE",)},
            tags="tags",
            address="{id}",
        ),
    ),
    ResourceType(
        "aws_ecs_task_definition",
        "family",
        renaming=REPLACED,
        tag_types=("ecs:task-definition",),
        listing=Listing(
            "ecs",
            attributes=attributes(
                "family revision executionRoleArn taskRoleArn networkMode "
                "requiresCompatibilities cpu memory arn=taskDefinitionArn",
                volume=Blocks("volumes"),
            ),
            also=words("DescribeTaskDefinition ListTaskDefinitionFamilies"),
        ),
    ),
    ResourceType("aws_ecs_task_set", tag_types=("ecs:task-set",)),
    ResourceType("aws_eks_access_entry", tag_types=("eks:access-entry",)),
    ResourceType("aws_eks_addon", tag_types=("eks:addon",)),
    ResourceType("aws_eks_cluster", "name", renaming=REPLACED, tag_types=("eks:cluster",)),
    ResourceType("aws_eks_cluster_auth", secrets=("token",)),
    ResourceType("aws_eks_fargate_profile", "fargate_profile_name", tag_types=("eks:fargateprofile",)),
    ResourceType("aws_eks_node_group", "node_group_name", renaming=REPLACED, tag_types=("eks:nodegroup",)),
    ResourceType("aws_eks_pod_identity_association", policies=(Policy(SESSION),)),
    ResourceType("aws_service_discovery_http_namespace", "name", tag_types=("servicediscovery:namespace",)),
    ResourceType("aws_service_discovery_private_dns_namespace", "name", tag_types=("servicediscovery:namespace",)),
    ResourceType("aws_service_discovery_public_dns_namespace", tag_types=("servicediscovery:namespace",)),
    ResourceType("aws_service_discovery_service", "name", tag_types=("servicediscovery:service",)),
)
