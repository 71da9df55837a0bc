"""Networks, load balancers, names, APIs and firewalls."""

from __future__ import annotations

from infraspec.resource_types.listing import NO_CHOICE, Batch, Call, Choice, Listing, attributes
from infraspec.resource_types.model import IN_PLACE, REPLACED, Drift, Policy, PolicyKind, ResourceType, words

RESOURCE, ENDPOINT = PolicyKind.RESOURCE, PolicyKind.ENDPOINT
FIREWALL_PEER = words("cidr_ipv4 cidr_ipv6 prefix_list_id referenced_security_group_id")
FIREWALL_RULE = ("ip_protocol", "from_port", "to_port", *FIREWALL_PEER)
"""What a rule of a security group says: AWS has no two of one group that say the same."""


def _of_ec2(call: Call, noun: str, text: str, only: Choice = NO_CHOICE, unless: Choice = NO_CHOICE) -> Listing:
    """Return how a type of EC2 is listed: its entries have their tags, and ids in the place of ARNs."""
    arn = f"arn:{{partition}}:ec2:{{region}}:{{account}}:{noun}/{{id}}"
    return Listing("ec2", call, attributes(text), only=only, unless=unless, tags="Tags", arn=arn)


_BALANCER_TAGS = Batch("DescribeTags", "TagDescriptions", "ResourceArns", 20)
_RULES = _of_ec2(
    Call("DescribeSecurityGroupRules", "SecurityGroupRules"),
    "security-group-rule",
    "id=SecurityGroupRuleId security_group_id=GroupId Description IpProtocol FromPort ToPort CidrIpv4 CidrIpv6 "
    "PrefixListId referenced_security_group_id=ReferencedGroupInfo.GroupId",
)

TYPES = (
    ResourceType(
        "aws_alb",
        "name",
        renaming=REPLACED,
        tag_types=words(
            "elasticloadbalancing:loadbalancer elasticloadbalancing:loadbalancer/app "
            "elasticloadbalancing:loadbalancer/net elasticloadbalancing:loadbalancer/gwy"
        ),
    ),
    ResourceType(
        "aws_alb_listener",
        tag_types=words(
            "elasticloadbalancing:listener elasticloadbalancing:listener/app elasticloadbalancing:listener/net"
        ),
        secrets=("default_action.authenticate_oidc.client_secret",),
    ),
    ResourceType(
        "aws_alb_listener_rule",
        tag_types=words("elasticloadbalancing:listener-rule elasticloadbalancing:listener-rule/app"),
        secrets=("action.authenticate_oidc.client_secret",),
    ),
    ResourceType("aws_alb_target_group", "name", renaming=REPLACED, tag_types=("elasticloadbalancing:targetgroup",)),
    ResourceType("aws_api_gateway_api_key", "name", tag_types=("apigateway:apikeys",), secrets=("value",)),
    ResourceType("aws_api_gateway_client_certificate", tag_types=("apigateway:clientcertificates",)),
    ResourceType(
        "aws_api_gateway_domain_name",
        tag_types=("apigateway:domainnames",),
        secrets=("certificate_private_key",),
        policies=(Policy(RESOURCE, for_everybody=True),),
    ),
    ResourceType(
        "aws_api_gateway_rest_api",
        "name",
        renaming=IN_PLACE,
        tag_types=("apigateway:restapis",),
        policies=(Policy(RESOURCE, for_everybody=True),),
    ),
    ResourceType(
        "aws_api_gateway_rest_api_policy",
        policies=(Policy(RESOURCE, of="rest_api_id", owners=("aws_api_gateway_rest_api",), for_everybody=True),),
    ),
    ResourceType("aws_api_gateway_stage", "stage_name", tag_types=("apigateway:restapis/stages",)),
    ResourceType("aws_api_gateway_usage_plan", "name", tag_types=("apigateway:usageplans",)),
    ResourceType("aws_api_gateway_vpc_link", "name", tag_types=("apigateway:vpclinks",)),
    ResourceType("aws_apigatewayv2_api", "name", renaming=IN_PLACE, tag_types=("apigateway:apis",)),
    ResourceType("aws_apigatewayv2_domain_name", tag_types=("apigateway:domainnames",)),
    ResourceType("aws_apigatewayv2_stage", tag_types=("apigateway:apis/stages",)),
    ResourceType("aws_apigatewayv2_vpc_link", "name", tag_types=("apigateway:vpclinks",)),
    ResourceType("aws_cloudfront_cache_policy", "name"),
    ResourceType("aws_cloudfront_distribution", tag_types=("cloudfront:distribution",)),
    ResourceType("aws_cloudfront_function", "name"),
    ResourceType("aws_cloudfront_origin_access_control", "name"),
    ResourceType("aws_customer_gateway", "tags.Name", tag_types=("ec2:customer-gateway",)),
    ResourceType("aws_default_network_acl", tag_types=("ec2:network-acl",)),
    ResourceType("aws_default_route_table", "tags.Name", tag_types=("ec2:route-table",)),
    ResourceType(
        "aws_default_security_group",
        "tags.Name",
        tag_types=("ec2:security-group",),
        listing=_of_ec2(
            Call("DescribeSecurityGroups", "SecurityGroups"),
            "security-group",
            "id=GroupId name=GroupName VpcId",
            only={"GroupName": ("default",)},
        ),
    ),
    ResourceType("aws_default_subnet", "tags.Name", tag_types=("ec2:subnet",)),
    ResourceType("aws_default_vpc", "tags.Name", tag_types=("ec2:vpc",)),
    ResourceType("aws_dx_bgp_peer", secrets=("bgp_auth_key",)),
    ResourceType("aws_dx_hosted_private_virtual_interface", secrets=("bgp_auth_key",)),
    ResourceType("aws_dx_hosted_public_virtual_interface", secrets=("bgp_auth_key",)),
    ResourceType("aws_dx_hosted_transit_virtual_interface", secrets=("bgp_auth_key",)),
    ResourceType("aws_dx_macsec_key_association", secrets=("cak",)),
    ResourceType("aws_dx_private_virtual_interface", secrets=("bgp_auth_key",)),
    ResourceType("aws_dx_public_virtual_interface", secrets=("bgp_auth_key",)),
    ResourceType("aws_dx_transit_virtual_interface", secrets=("bgp_auth_key",)),
    ResourceType("aws_ec2_client_vpn_endpoint", "tags.Name", tag_types=("ec2:client-vpn-endpoint",)),
    ResourceType("aws_ec2_managed_prefix_list", tag_types=("ec2:prefix-list",)),
    ResourceType("aws_ec2_transit_gateway", "tags.Name", tag_types=("ec2:transit-gateway",)),
    ResourceType("aws_ec2_transit_gateway_peering_attachment", tag_types=("ec2:transit-gateway-attachment",)),
    ResourceType("aws_ec2_transit_gateway_route_table", "tags.Name", tag_types=("ec2:transit-gateway-route-table",)),
    ResourceType("aws_ec2_transit_gateway_vpc_attachment", "tags.Name", tag_types=("ec2:transit-gateway-attachment",)),
    ResourceType("aws_egress_only_internet_gateway", "tags.Name", tag_types=("ec2:egress-only-internet-gateway",)),
    ResourceType(
        "aws_eip",
        "tags.Name",
        tag_types=("ec2:elastic-ip",),
        listing=_of_ec2(
            Call("DescribeAddresses", "Addresses"), "elastic-ip", "id=AllocationId", unless={"AllocationId": (None,)}
        ),
    ),
    ResourceType("aws_elb", "name", tag_types=("elasticloadbalancing:loadbalancer",)),
    ResourceType("aws_flow_log", "tags.Name", tag_types=("ec2:vpc-flow-log",)),
    ResourceType(
        "aws_internet_gateway",
        "tags.Name",
        tag_types=("ec2:internet-gateway",),
        listing=_of_ec2(
            Call("DescribeInternetGateways", "InternetGateways"), "internet-gateway", "id=InternetGatewayId"
        ),
    ),
    ResourceType(
        "aws_lb",
        "name",
        renaming=REPLACED,
        tag_types=words(
            "elasticloadbalancing:loadbalancer elasticloadbalancing:loadbalancer/app "
            "elasticloadbalancing:loadbalancer/net elasticloadbalancing:loadbalancer/gwy"
        ),
        drift=Drift(("security_groups",)),
        listing=Listing(
            "elbv2",
            Call("DescribeLoadBalancers", "LoadBalancers"),
            attributes(
                "name=LoadBalancerName arn=LoadBalancerArn id=LoadBalancerArn load_balancer_type=Type SecurityGroups"
            ),
            tags_batch=_BALANCER_TAGS,
        ),
    ),
    ResourceType(
        "aws_lb_listener",
        identity=words("load_balancer_arn port"),
        tag_types=words(
            "elasticloadbalancing:listener elasticloadbalancing:listener/app elasticloadbalancing:listener/net"
        ),
        secrets=("default_action.authenticate_oidc.client_secret",),
        drift=Drift(words("port protocol ssl_policy certificate_arn")),
        listing=Listing(
            "elbv2",
            Call("DescribeListeners", "Listeners", {"LoadBalancerArn": "arn"}),
            attributes(
                "arn=ListenerArn id=ListenerArn LoadBalancerArn Port Protocol SslPolicy "
                "certificate_arn=Certificates.0.CertificateArn"
            ),
            "aws_lb",
            tags_batch=_BALANCER_TAGS,
        ),
    ),
    ResourceType(
        "aws_lb_listener_rule",
        tag_types=words("elasticloadbalancing:listener-rule elasticloadbalancing:listener-rule/app"),
        secrets=("action.authenticate_oidc.client_secret",),
    ),
    ResourceType(
        "aws_lb_target_group",
        "name",
        renaming=REPLACED,
        tag_types=("elasticloadbalancing:targetgroup",),
        drift=Drift(words("port protocol target_type")),
        listing=Listing(
            "elbv2",
            Call("DescribeTargetGroups", "TargetGroups"),
            attributes(
                "name=TargetGroupName arn=TargetGroupArn id=TargetGroupArn arn_suffix=TargetGroupArn.-1 "
                "Protocol Port VpcId TargetType"
            ),
            tags_batch=_BALANCER_TAGS,
        ),
    ),
    ResourceType(
        "aws_nat_gateway",
        "tags.Name",
        tag_types=("ec2:natgateway",),
        listing=_of_ec2(
            Call("DescribeNatGateways", "NatGateways"),
            "natgateway",
            "id=NatGatewayId",
            unless={"State": words("deleting deleted failed")},
        ),
    ),
    ResourceType("aws_network_acl", "tags.Name", tag_types=("ec2:network-acl",)),
    ResourceType("aws_network_interface", "tags.Name", tag_types=("ec2:network-interface",)),
    ResourceType("aws_networkfirewall_firewall", "name", tag_types=("network-firewall:firewall",)),
    ResourceType("aws_networkfirewall_firewall_policy", "name", tag_types=("network-firewall:firewall-policy",)),
    ResourceType(
        "aws_networkfirewall_resource_policy",
        policies=(
            Policy(
                RESOURCE,
                of="resource_arn",
                owners=("aws_networkfirewall_firewall_policy", "aws_networkfirewall_rule_group"),
            ),
        ),
    ),
    ResourceType(
        "aws_networkfirewall_rule_group",
        "name",
        tag_types=words("network-firewall:stateful-rulegroup network-firewall:stateless-rulegroup"),
    ),
    ResourceType(
        "aws_odb_network",
        policies=(
            Policy(ENDPOINT, "kms_policy_document"),
            Policy(ENDPOINT, "s3_policy_document"),
            Policy(ENDPOINT, "sts_policy_document"),
        ),
    ),
    ResourceType("aws_route53_health_check", tag_types=("route53:healthcheck",)),
    ResourceType("aws_route53_record", "name"),
    ResourceType("aws_route53_resolver_endpoint", "name", tag_types=("route53resolver:resolver-endpoint",)),
    ResourceType("aws_route53_resolver_rule", tag_types=("route53resolver:resolver-rule",)),
    ResourceType("aws_route53_zone", "name", renaming=REPLACED, tag_types=("route53:hostedzone",), stateful=True),
    ResourceType(
        "aws_route_table",
        "tags.Name",
        tag_types=("ec2:route-table",),
        listing=_of_ec2(Call("DescribeRouteTables", "RouteTables"), "route-table", "id=RouteTableId"),
    ),
    ResourceType(
        "aws_security_group",
        "name",
        renaming=REPLACED,
        tag_types=("ec2:security-group",),
        drift=Drift(),
        listing=_of_ec2(
            Call("DescribeSecurityGroups", "SecurityGroups"),
            "security-group",
            "id=GroupId name=GroupName VpcId",
            unless={"GroupName": ("default",)},
        ),
    ),
    ResourceType(
        "aws_subnet",
        "tags.Name",
        tag_types=("ec2:subnet",),
        listing=_of_ec2(Call("DescribeSubnets", "Subnets"), "subnet", "id=SubnetId CidrBlock VpcId AvailabilityZone"),
    ),
    ResourceType(
        "aws_verifiedaccess_trust_provider",
        secrets=words("oidc_options.client_secret native_application_oidc_options.client_secret"),
    ),
    ResourceType(
        "aws_vpc",
        "tags.Name",
        tag_types=("ec2:vpc",),
        listing=_of_ec2(Call("DescribeVpcs", "Vpcs"), "vpc", "id=VpcId CidrBlock"),
    ),
    ResourceType("aws_vpc_dhcp_options", "tags.Name", tag_types=("ec2:dhcp-options",)),
    ResourceType(
        "aws_vpc_endpoint",
        "tags.Name",
        tag_types=("ec2:vpc-endpoint",),
        policies=(Policy(ENDPOINT),),
        listing=_of_ec2(
            Call("DescribeVpcEndpoints", "VpcEndpoints"), "vpc-endpoint", "id=VpcEndpointId ServiceName VpcId"
        ),
    ),
    ResourceType(
        "aws_vpc_endpoint_policy", policies=(Policy(ENDPOINT, of="vpc_endpoint_id", owners=("aws_vpc_endpoint",)),)
    ),
    ResourceType("aws_vpc_endpoint_service", tag_types=("ec2:vpc-endpoint-service",)),
    ResourceType("aws_vpc_peering_connection", "tags.Name", tag_types=("ec2:vpc-peering-connection",)),
    ResourceType(
        "aws_vpc_security_group_egress_rule",
        identity=words("security_group_id description"),
        tag_types=("ec2:security-group-rule",),
        drift=Drift(FIREWALL_RULE, left_out=FIREWALL_PEER),
        listing=_RULES,
    ),
    ResourceType(
        "aws_vpc_security_group_ingress_rule",
        identity=words("security_group_id description"),
        tag_types=("ec2:security-group-rule",),
        drift=Drift(FIREWALL_RULE, left_out=FIREWALL_PEER),
        listing=_RULES,
    ),
    ResourceType(
        "aws_vpclattice_auth_policy",
        policies=(
            Policy(
                RESOURCE, of="resource_identifier", owners=("aws_vpclattice_service", "aws_vpclattice_service_network")
            ),
        ),
    ),
    ResourceType(
        "aws_vpclattice_resource_policy",
        policies=(
            Policy(RESOURCE, of="resource_arn", owners=("aws_vpclattice_service", "aws_vpclattice_service_network")),
        ),
    ),
    ResourceType(
        "aws_vpn_connection",
        "tags.Name",
        tag_types=("ec2:vpn-connection",),
        secrets=words("customer_gateway_configuration tunnel1_preshared_key tunnel2_preshared_key"),
    ),
    ResourceType("aws_vpn_gateway", "tags.Name", tag_types=("ec2:vpn-gateway",)),
    ResourceType("aws_wafv2_api_key", secrets=("api_key",)),
    ResourceType(
        "aws_wafv2_ip_set", "name", renaming=REPLACED, tag_types=words("wafv2:regional/ipset wafv2:global/ipset")
    ),
    ResourceType(
        "aws_wafv2_regex_pattern_set",
        "name",
        tag_types=words("wafv2:regional/regexpatternset wafv2:global/regexpatternset"),
    ),
    ResourceType("aws_wafv2_rule_group", "name", tag_types=words("wafv2:regional/rulegroup wafv2:global/rulegroup")),
    ResourceType(
        "aws_wafv2_web_acl", "name", renaming=REPLACED, tag_types=words("wafv2:regional/webacl wafv2:global/webacl")
    ),
)
